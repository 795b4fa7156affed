import type { Digest } from '../cache/digest.ts';

/** The name of a folder of staged migrations: like upstream's, but for its end, which is random there. */
export function stagedNameOf(canister: string, contents: Digest): string {
  return `.migrations-${canister}-${contents.slice(0, 12)}`;
}

/** A text or a document in which such names have no ends: those change with every edit of what is in the folder. */
export function withoutStagedEnds(text: string): string {
  return text.replace(/(\.migrations-[^/"]*)-[0-9a-f]{12}(?=[/"]|$)/gm, '$1');
}
