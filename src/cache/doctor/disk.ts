import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeDir } from '../make-dir.ts';
import { nameOfOurs } from '../process.ts';
import { storePathsOf } from '../store-folder.ts';
import { found, type Finding } from './finding.ts';

/** What was tried on the disk of a store, and what time it was there. */
export interface DiskTrial {
  readonly findings: readonly Finding[];
  readonly diskMs: number | undefined;
}

/** Tries what the store relies on, in a folder of its own among the store's temporary files, and removes that. */
export function tryDisk(dir: string): DiskTrial {
  const { tmp } = storePathsOf(dir);
  const trial = join(tmp, nameOfOurs());
  let diskMs: number | undefined;
  const findings = found('file system', () => {
    makeDir(tmp);
    mkdirSync(trial, { mode: 0o700 });
    try {
      writeFileSync(join(trial, 'now'), '');
      diskMs = statSync(join(trial, 'now')).mtimeMs;
      const wrong = TRIALS.flatMap(({ name, use, holds }) => {
        const place = join(trial, name.replaceAll(' ', '-'));
        mkdirSync(place);
        const trouble = troubleWith(() => holds(place));
        return trouble === undefined
          ? []
          : [{ state: 'wrong' as const, says: `${name}: ${trouble}; ${use}`, advice: ADVICE }];
      });
      if (wrong.length > 0) return wrong;
      const names = TRIALS.map(({ name }) => name).join(', ');
      const folds = foldsCase(trial) ? '; names differ not by case, which does no harm here' : '';
      return [{ state: 'ok', says: `${names} work in the cache folder${folds}` }];
    } finally {
      rmSync(trial, { recursive: true, force: true });
    }
  });
  return { findings, diskMs };
}

const ADVICE = 'set MOCCACHE_DIR to a folder on a local disk';

/** `use`: what depends on it. `holds` is given an empty folder, and says whether the disk does it. */
const TRIALS: readonly { readonly name: string; readonly use: string; readonly holds: (dir: string) => boolean }[] = [
  {
    name: 'rename over a file',
    use: 'files of the cache could be seen half written',
    holds: (dir) => {
      const [from, to] = [join(dir, 'from'), join(dir, 'to')];
      writeFileSync(to, 'old');
      writeFileSync(from, 'new');
      renameSync(from, to);
      return readFileSync(to, 'utf8') === 'new' && !existsSync(from);
    },
  },
  {
    name: 'exclusive folders',
    use: 'two builds could compile the same at once',
    holds: (dir) => {
      mkdirSync(join(dir, 'lock'));
      return refusesAgain(() => mkdirSync(join(dir, 'lock')));
    },
  },
  {
    name: 'exclusive files',
    use: 'two builds could write one temporary file',
    holds: (dir) => {
      writeFileSync(join(dir, 'file'), '1', { flag: 'wx' });
      return refusesAgain(() => writeFileSync(join(dir, 'file'), '2', { flag: 'wx' }));
    },
  },
  {
    name: 'file times',
    use: 'leases would not show that their holder lives, and recency of use would be lost',
    holds: (dir) => {
      const file = join(dir, 'file');
      writeFileSync(file, '');
      utimesSync(file, 1_600_000_000, 1_600_000_000);
      return Math.abs(statSync(file).mtimeMs - 1_600_000_000_000) <= GRANULARITY_MS;
    },
  },
  {
    name: 'appending',
    use: 'lines of the journal could be lost',
    holds: (dir) => {
      const file = join(dir, 'file');
      const [one, two] = [openSync(file, 'a'), openSync(file, 'a')];
      try {
        for (const [handle, text] of [
          [one, 'a'],
          [two, 'b'],
          [one, 'c'],
        ] as const)
          appendFileSync(handle, text);
      } finally {
        for (const handle of [one, two]) closeSync(handle);
      }
      return readFileSync(file, 'utf8') === 'abc';
    },
  },
  {
    name: 'fsync',
    use: 'the disk does not say when it has what was written',
    holds: (dir) => {
      const file = openSync(join(dir, 'file'), 'w');
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      return true;
    },
  },
];

// What stamps allow for: file systems keep times in steps of up to two seconds.
const GRANULARITY_MS = 2_000;

function troubleWith(holds: () => boolean): string | undefined {
  try {
    return holds() ? undefined : 'does not do what it should';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return `refused (${code})`;
  }
}

function refusesAgain(again: () => void): boolean {
  try {
    again();
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return true;
    throw error;
  }
}

function foldsCase(dir: string): boolean {
  writeFileSync(join(dir, 'Case'), '');
  return existsSync(join(dir, 'cASE'));
}
