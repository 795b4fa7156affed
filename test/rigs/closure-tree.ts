import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Tree {
  /** Absolute path of the project's folder. `../x` of it belongs to the tree too. */
  readonly root: string;
  write(path: string, text: string): void;
  remove(): void;
}

/** Text of a file; a path that ends in `/` makes an empty folder. */
export type Files = Readonly<Record<string, string | { readonly linkTo: string }>>;

/** A real folder with these files in it. */
export function openTree(files: Files): Tree {
  const dir = mkdtempSync(join(tmpdir(), 'closure-'));
  const root = join(dir, 'project');
  const write = (path: string, content: Files[string]) => {
    const full = join(root, path);
    mkdirSync(path.endsWith('/') ? full : dirname(full), { recursive: true });
    if (path.endsWith('/')) return;
    if (typeof content === 'string') writeFileSync(full, content);
    else symlinkSync(content.linkTo, full);
  };
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) write(path, content);
  return {
    root,
    write,
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
