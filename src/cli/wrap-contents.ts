import { copyBlob, knownBlobs, readBlob } from '../cache/blob-copy.ts';
import { openBlobs } from '../cache/blobs.ts';
import { openSurvey, renewed } from '../cache/sights.ts';
import type { StorePaths } from '../cache/store-paths.ts';
import { writeTrail, type Trail } from '../cache/trail.ts';
import { isSaid } from '../build/call-place.ts';
import type { Content } from '../build/materialize.ts';
import type { Recalled } from './wrap-recall.ts';

/** What was said, as bytes, and the files. */
export interface Contents {
  readonly said: Readonly<Record<string, Uint8Array>>;
  readonly files: Readonly<Record<string, Content>>;
}

/**
 * What an answer takes of the store, from blobs that are known by their stamps. Undefined where one of them is not. Throws
 * BlobUnknown, or the system's error, as the files' contents do when they are used.
 */
export function knownContents(names: readonly string[], paths: StorePaths, trail: Trail): Contents | undefined {
  const { refs } = trail.answer as Recalled;
  const blobOf = knownBlobs(paths, trail.sights);
  const said: Record<string, Uint8Array> = {};
  const files: Record<string, Content> = {};
  for (const name of names) {
    const ref = refs[name];
    const blob = ref === undefined ? undefined : blobOf(ref.digest);
    if (blob === undefined) return undefined;
    if (isSaid(name)) said[name] = readBlob(blob);
    else
      files[name] = (to) => {
        copyBlob(blob, to);
      };
  }
  return { said, files };
}

/** The same, read and checked. Where a question is given, leaves word of what was, so that the next time it is known. */
export async function checkedContents(
  names: readonly string[],
  paths: StorePaths,
  trail: Trail,
  question: string | undefined,
): Promise<Contents | undefined> {
  const { key, refs } = trail.answer as Recalled;
  const survey = openSurvey();
  try {
    const blobOf = await openBlobs(paths, [key]);
    const said: Record<string, Uint8Array> = {};
    const files: Record<string, Content> = {};
    for (const name of names) {
      const ref = refs[name];
      const blob = ref === undefined ? undefined : blobOf(ref.digest);
      if (blob === undefined) return undefined;
      (isSaid(name) ? said : files)[name] = blob;
    }
    const seen = survey.seen() ?? [];
    if (question !== undefined && seen.length > 0)
      writeTrail(paths.trails, paths.tmp, question, { sights: renewed(trail.sights, seen), answer: trail.answer });
    return { said, files };
  } finally {
    survey.close();
  }
}
