import type { ActionKey } from '../cache/digest.ts';
import { keysWith } from '../cache/layout.ts';
import { storePathsOf } from '../cache/store-folder.ts';

/** The one key in the store in `dir` that begins as was typed, or what is wrong with asking for it. */
export function findKey(
  dir: string,
  typed: string,
): ActionKey | { readonly problem: string; readonly more?: { readonly candidates: readonly ActionKey[] } } {
  const prefix = typed.toLowerCase();
  if (!/^[0-9a-f]{2,64}$/.test(prefix)) {
    return { problem: `${JSON.stringify(typed)} is no key: 2 to 64 hexadecimal digits are asked for` };
  }
  const keys = keysWith(storePathsOf(dir), prefix);
  const [key] = keys;
  if (key === undefined) {
    return { problem: `no result under ${prefix} in ${dir}\nkeys are in the output of: mops build --json` };
  }
  if (keys.length === 1) return key;
  const shown = keys.slice(0, MOST_SHOWN).map((candidate) => `\n  ${candidate}`);
  const rest = keys.length > MOST_SHOWN ? `\n  and ${keys.length - MOST_SHOWN} more` : '';
  const problem = `${prefix} is the beginning of ${keys.length} keys:${shown.join('')}${rest}`;
  return { problem, more: { candidates: keys } };
}

const MOST_SHOWN = 10;
