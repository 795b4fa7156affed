// The library's type declarations: those that src/index.ts leads to, and no others.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';

// A statement's own, or a type's import('…'); what merely looks like one in a comment has no line or bracket to itself.

/** Path under dist/types/ to text, for every declaration file that a user of the library can reach. */
export async function declarationsOf(root) {
  const cache = join(root, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const emitted = await mkdtemp(join(cache, 'declarations-'));
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', emitted], { cwd: root });
    return await reachableFrom(emitted, 'index.d.ts');
  } catch (error) {
    throw new Error(`declarations: ${error.stdout || error.message}`, { cause: error });
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function reachableFrom(folder, entry) {
  const { default: ts } = await import('typescript');
  const reached = new Map();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    let text = await readFile(join(folder, path), 'utf8');
    // From the last to the first, so that a replacement moves none that is still to come.
    for (const { fileName, pos, end } of ts.preProcessFile(text).importedFiles.reverse()) {
      if (fileName.startsWith('node:')) continue;
      // A user has none of our bundled packages, so their types must not show in ours.
      if (!fileName.startsWith('.')) throw new Error(`${path}: a public type leads to the package "${fileName}"`);
      const stem = fileName.replace(/\.(ts|js)$/, '');
      waiting.push(posix.join(dirname(path), `${stem}.d.ts`));
      text = text.slice(0, pos) + text.slice(pos, end + 1).replace(fileName, `${stem}.js`) + text.slice(end + 1);
    }
    reached.set(path, text);
  }
  return reached;
}
