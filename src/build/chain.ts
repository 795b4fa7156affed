/** Which file asks for which: by path, the importer on the shortest way from the main file, which itself has none. */
export type Importers = ReadonlyMap<string, string>;

/** The files from the main file to the one at `path`, both among them; undefined where no import leads there. */
export function chainTo(importers: Importers, path: string): readonly string[] | undefined {
  if (!importers.has(path)) return undefined;
  const chain = [path];
  for (let at = importers.get(path); at !== undefined && !chain.includes(at); at = importers.get(at)) chain.unshift(at);
  return chain;
}

/*
 * importers = ( row LF )*      in code-unit order of the paths
 * row       = JSON array of a path and its importer's
 *
 * Kept with what the compiler made: a document names the inputs, not how they are reached. It follows from the document
 * and the files all the same (packages are walked in the order of their names), so that a rebuild makes the same.
 */
export function writeImporters(importers: Importers): string {
  const rows = [...importers].map((row) => JSON.stringify(row)).sort();
  return rows.map((row) => `${row}\n`).join('');
}

/** What was written, as far as it can be read: it helps people to find a file, and decides nothing. */
export function parseImporters(text: string): Importers {
  return new Map(text.split('\n').flatMap(parseRow));
}

function parseRow(line: string): [string, string][] {
  try {
    const row: unknown = JSON.parse(line);
    if (!Array.isArray(row)) return [];
    const [path, importer] = row as unknown[];
    return typeof path === 'string' && typeof importer === 'string' ? [[path, importer]] : [];
  } catch {
    return [];
  }
}
