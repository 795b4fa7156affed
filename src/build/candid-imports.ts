import type { Import } from './imports.ts';
import { BYTE, skipBlank, skipToken, startOf, takeText, takeWord } from './lexis.ts';

/**
 * The imports of a Candid file, in the order of the text: `import "x.did"` and `import service "x.did"`.
 *
 * They may stand between type definitions, so the whole text is read. `import` is a keyword of Candid: outside texts
 * and comments it can be nothing else. Never throws.
 */
export function candidImportsOf(source: string | Uint8Array): readonly Import[] {
  const at = startOf(source);
  const imports: Import[] = [];
  for (;;) {
    skipBlank(at);
    const { line } = at;
    if (at.offset >= at.bytes.length) return imports;
    if (takeWord(at, 'import')) {
      skipBlank(at);
      if (takeWord(at, 'service')) skipBlank(at);
      const url = at.bytes[at.offset] === BYTE.quote ? takeText(at) : undefined;
      if (url !== undefined) imports.push({ url, line });
    } else if (at.bytes[at.offset] === BYTE.quote) takeText(at);
    else skipToken(at);
  }
}
