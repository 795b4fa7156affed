import { copyBlob, knownBlobs, readBlob } from '../cache/blob-copy.ts';
import { openBlobs } from '../cache/blobs.ts';
import type { Digest } from '../cache/digest.ts';
import { openSurvey, renewed, type BlobSight } from '../cache/sights.ts';
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
  const copying = (blob: BlobSight) => (to: string) => {
    copyBlob(blob, to);
  };
  return gather(names, trail, knownBlobs(paths, trail.sights), readBlob, copying);
}

/** The same, read and checked. Where a question is given, leaves word of what was, so that the next time it is known. */
export async function checkedContents(
  names: readonly string[],
  paths: StorePaths,
  trail: Trail,
  question: string | undefined,
): Promise<Contents | undefined> {
  const survey = openSurvey();
  try {
    const blobOf = await openBlobs(paths, [(trail.answer as Recalled).key]);
    const itself = (bytes: Uint8Array) => bytes;
    const contents = gather(names, trail, blobOf, itself, itself);
    const seen = survey.seen() ?? [];
    if (contents !== undefined && question !== undefined && seen.length > 0)
      writeTrail(paths.trails, paths.tmp, question, { sights: renewed(trail.sights, seen), answer: trail.answer });
    return contents;
  } finally {
    survey.close();
  }
}

function gather<B>(
  names: readonly string[],
  trail: Trail,
  blobOf: (digest: Digest) => B | undefined,
  bytesOf: (blob: B) => Uint8Array,
  contentOf: (blob: B) => Content,
): Contents | undefined {
  const { refs } = trail.answer as Recalled;
  const said: Record<string, Uint8Array> = {};
  const files: Record<string, Content> = {};
  for (const name of names) {
    const ref = refs[name];
    const blob = ref === undefined ? undefined : blobOf(ref.digest);
    if (blob === undefined) return undefined;
    if (isSaid(name)) said[name] = bytesOf(blob);
    else files[name] = contentOf(blob);
  }
  return { said, files };
}
