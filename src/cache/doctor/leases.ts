import { join } from 'node:path';
import { namesIn } from '../forsaken.ts';
import { seeLock, type LockPlace } from '../lock.ts';
import { livenessOf } from '../process.ts';
import { storePathsOf } from '../store-folder.ts';
import { found, type Finding } from './finding.ts';

/** The leases that are held: by whom, since when, and whether that process lives. `nowMs` is since the epoch. */
export function checkLeases(dir: string, nowMs: number): readonly Finding[] {
  const { lease } = storePathsOf(dir);
  return found('leases', () => {
    const held = namesIn(lease)
      .filter((name) => name.endsWith('.lock'))
      .flatMap((name) => {
        const lockDir = join(lease, name);
        const says = lockText({ lockDir, recordPath: lockDir.replace(/lock$/, 'owner'), recordKind: 'own' }, nowMs);
        return says === undefined ? [] : [says];
      });
    return held.length === 0 ? [{ state: 'ok', says: 'none is held' }] : held;
  });
}

/** The locks on files that other programs lock too, at `paths`. */
export function checkFileLocks(check: string, paths: readonly string[], nowMs: number): readonly Finding[] {
  return found(check, () => {
    const held = paths.flatMap((path) => {
      const says = lockText({ lockDir: `${path}.lock`, recordPath: path, recordKind: 'marker' }, nowMs);
      return says === undefined ? [] : [{ ...says, says: `${path}.lock: ${says.says}` }];
    });
    return held.length === 0 ? [{ state: 'ok', says: 'no lock lies there' }] : held;
  });
}

const SILENT_MS = 300_000; // after which upstream takes its locks for dead

function lockText(place: LockPlace, nowMs: number): Omit<Finding, 'check'> | undefined {
  const seen = seeLock(place);
  if (seen === undefined) return undefined;
  const silentMs = Math.max(0, nowMs - seen.beatMs);
  const silent = `${Math.round(silentMs / 1000)} s ago`;
  if (seen.owner === undefined) {
    const says = `held by another program, which last showed life ${silent}`;
    const isDead = silentMs > SILENT_MS;
    if (!isDead)
      return {
        state: 'note',
        says,
        advice: "if no build runs, it is a killed one's; the next build waits up to five minutes, or remove the folder",
      };
    return { state: 'note', says, advice: 'it was left by a killed process; the next build removes it' };
  }
  const { label, pid, host, sinceMs } = seen.owner;
  const says = `${label}: held by process ${pid} on ${host} since ${new Date(sinceMs).toISOString().slice(0, 19)}Z`;
  if (livenessOf(seen.owner) !== 'dead') return { state: 'note', says };
  return { state: 'note', says: `${says}, which is dead`, advice: 'the next build removes it' };
}
