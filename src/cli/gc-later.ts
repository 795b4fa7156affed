import { spawn } from 'node:child_process';
import type { Cache } from '../cache/cache.ts';
import type { Collected } from '../cache/collect.ts';
import { digestOf } from '../cache/digest.ts';
import type { EvictionPolicy } from '../cache/eviction.ts';
import { writeNote } from '../cache/notes.ts';
import type { StorePaths } from '../cache/store-folder.ts';
import type { Outcome } from '../build/outcome.ts';
import type { Host } from './host.ts';
import { sizeText } from './quantities.ts';
import type { Settings } from './settings.ts';

/** What is remembered of the last collection, and of what was built since. Gone, it is begun anew. */
interface Upkeep {
  /** When it was, or when this note was begun; milliseconds since the epoch. */
  readonly atMs: number;
  /** What the collection left. */
  readonly sizeBytes: number;
  /** How much more that was than the limit, until somebody was told. */
  readonly overBytes: number;
  /** About what has been stored since. Of builds that end at once one may go uncounted; the next day counts anew. */
  readonly grownBytes: number;
}

/**
 * After a build that compiled: counts what it stored, and where it is time starts a collection in a process of its own,
 * which nobody waits for: a day after the last one, or when the store may have grown past its limit. Gives what the user
 * should hear of the last collection. Never throws.
 */
export function collectLater(
  cache: Cache,
  settings: Settings,
  outcomes: readonly Outcome[],
  host: Host,
): string | undefined {
  const built = outcomes.flatMap((one) => (one.outcome === 'built' && one.cause !== 'uncacheable' ? [one] : []));
  if (cache.mode !== 'read-write' || built.length === 0) return undefined;
  const nowMs = Date.now();
  const storedBytes = built
    .flatMap(({ artifacts }) => Object.values(artifacts))
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const last = parseUpkeep(cache.readNote(NAME)) ?? { atMs: nowMs, sizeBytes: 0, overBytes: 0, grownBytes: 0 };
  const upkeep = { ...last, grownBytes: last.grownBytes + storedBytes };
  const isDue = isCollectionDue(upkeep, settings.maxBytes, nowMs);
  // Begun anew when a collection starts, so that the builds of the next seconds do not start one each.
  cache.writeNote(NAME, JSON.stringify({ ...upkeep, overBytes: 0, ...(isDue ? { atMs: nowMs, grownBytes: 0 } : {}) }));
  if (isDue) startCollection(host, settings.dir);
  if (last.overBytes === 0) return undefined;
  const over = `${sizeText(last.overBytes)} more than its limit of ${sizeText(settings.maxBytes)}`;
  return `note: the cache holds ${over}, and all of that was used in the last hours; raise MOCCACHE_MAX_SIZE`;
}

/** Whether a day has passed, or the store may be over its limit and has grown by some part of it since. Pure. */
export function isCollectionDue(upkeep: Upkeep, maxBytes: number, nowMs: number): boolean {
  const { atMs, sizeBytes, grownBytes } = upkeep;
  return Math.abs(nowMs - atMs) > DAY_MS || (grownBytes > maxBytes * GROWTH && sizeBytes + grownBytes > maxBytes);
}

/** Remembers what a collection left. Never throws. */
export function noteCollection(
  paths: StorePaths,
  { keptBytes, overBytes }: Extract<Collected, { kind: 'collected' }>,
  { workingSetMs }: EvictionPolicy,
  nowMs: number,
): void {
  const upkeep: Upkeep = {
    atMs: nowMs,
    sizeBytes: keptBytes,
    overBytes: workingSetMs > 0 ? overBytes : 0,
    grownBytes: 0,
  };
  writeNote(paths.notes, paths.tmp, NAME, JSON.stringify(upkeep));
}

const NAME = digestOf('the last collection of this store');
const DAY_MS = 24 * 3_600_000;

/** Of the limit: less is not worth a collection, and a store that is full of what is in use would have one each time. */
const GROWTH = 0.05;

function parseUpkeep(text: string | undefined): Upkeep | undefined {
  try {
    const { atMs, sizeBytes, overBytes, grownBytes } = JSON.parse(text ?? '') as Record<string, unknown>;
    if (typeof atMs !== 'number' || typeof sizeBytes !== 'number') return undefined;
    if (typeof overBytes !== 'number' || typeof grownBytes !== 'number') return undefined;
    return { atMs, sizeBytes, overBytes, grownBytes };
  } catch {
    return undefined;
  }
}

function startCollection({ node, script, env }: Host, dir: string): void {
  try {
    const child = spawn(node, [script, 'cache', 'gc', '--by-itself'], {
      cwd: dir, // the project's folder is free to be deleted
      env: { ...env, MOCCACHE_DIR: dir },
      detached: true,
      stdio: 'ignore',
      windowsHide: true,
    });
    child.on('error', () => undefined);
    child.unref();
  } catch {
    // the next build tries again
  }
}
