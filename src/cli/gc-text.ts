import type { Collected } from '../cache/collect.ts';
import type { EvictedResult, EvictionPolicy } from '../cache/eviction.ts';
import { ageText, sizeText } from './quantities.ts';
import type { Paint } from './report.ts';

export interface GcReport extends Omit<Extract<Collected, { kind: 'collected' }>, 'kind'> {
  readonly dir: string;
  readonly policy: EvictionPolicy;
  readonly dryRun: boolean;
  /** For which canister a key was, as far as it is known. */
  readonly canisters: ReadonlyMap<string, string>;
}

/** What `mops cache gc` says. A dry run lists every entry; the real run sums up. */
export function gcText(report: GcReport, paint: Paint): string {
  const { removed, dryRun, policy, census, overBytes, freedBytes, sparedCount } = report;
  const { results, blobs, loose, leftovers } = removed;
  const lines: string[] = [];
  if (dryRun) {
    for (const { result, why } of results) {
      const age = `${ageText(census.atMs - result.usedMs)} ago`.padStart(22);
      const name = report.canisters.get(result.key) ?? '-';
      lines.push(
        `${age}  ${why.padEnd(4)}  ${name.padEnd(16)} ${result.key.slice(0, 16)}  ${sizeText(wholeBytesOf(result))}`,
      );
    }
    if (results.length > 0) lines.push('');
  }
  if (results.length + loose.length + leftovers.length === 0) lines.push('nothing to do');
  else lines.push(paint.bold(`${dryRun ? 'would free' : 'freed'} ${sizeText(freedBytes)}`));
  const byAge = results.filter(({ why }) => why === 'age').length;
  const say = (count: number, one: string, many: string, why = '') => {
    if (count > 0) lines.push(`  ${counted(count, one, many)}${why}`);
  };
  say(byAge, 'entry', 'entries', ` not used for ${ageText(policy.maxAgeMs)}`);
  const trimmed = ` least recently used, to come below the limit of ${sizeText(policy.maxBytes)}`;
  say(results.length - byAge, 'entry', 'entries', trimmed);
  say(blobs.length, 'file', 'files', ' that only these named');
  say(loose.length, 'file', 'files', ' that nothing named');
  say(leftovers.length, 'leftover', 'leftovers', ' (set aside, unfinished, or out of date)');
  say(sparedCount, 'thing', 'things', ' left alone, for they were used meanwhile');
  const keptCount = census.results.length - results.length;
  lines.push(
    `${dryRun ? 'would keep' : 'kept'} ${sizeText(report.keptBytes)} in ${counted(keptCount, 'entry', 'entries')}`,
  );
  if (overBytes > 0) {
    const more = policy.workingSetMs > 0 ? '; raise MOCCACHE_MAX_SIZE, or give --max-size to go below it' : '';
    const used = policy.workingSetMs > 0 ? `was used in the last ${ageText(policy.workingSetMs)}` : 'is in use';
    const over = `that is ${sizeText(overBytes)} above the limit of ${sizeText(policy.maxBytes)}, and all of it ${used}`;
    lines.push(`${paint.yellow('note:')} ${over}${more}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The document of `mops cache gc --json`, without its version. */
export function gcJson({ dir, policy, dryRun, removed, census, canisters, ...report }: GcReport): object {
  const { freedBytes, sparedCount, overBytes } = report;
  return {
    ok: true,
    dryRun,
    store: dir,
    maxBytes: policy.maxBytes,
    maxAgeMs: policy.maxAgeMs,
    before: { results: census.results.length, blobs: census.blobCount, sizeBytes: census.sizeBytes },
    after: {
      results: census.results.length - removed.results.length,
      blobs: census.blobCount - removed.blobs.length - removed.loose.length,
      sizeBytes: report.keptBytes,
    },
    freedBytes,
    overBytes,
    spared: sparedCount,
    removed: {
      results: removed.results.map(({ result, why }) => {
        const { key, usedMs } = result;
        const canister = canisters.get(key);
        const label = canister === undefined ? {} : { canister };
        return { key, ...label, usedMs: Math.round(usedMs), sizeBytes: wholeBytesOf(result), why };
      }),
      blobs: [...removed.blobs, ...removed.loose].map(({ digest, sizeBytes }) => ({ digest, sizeBytes })),
      leftovers: removed.leftovers.map(({ path, what, sizeBytes }) => ({ path, what, sizeBytes })),
    },
  };
}

/** Of an entry: its result and all that it names, which other entries may name too. */
function wholeBytesOf({ sizeBytes, blobs }: EvictedResult['result']): number {
  return blobs.reduce((sum, blob) => sum + blob.sizeBytes, sizeBytes);
}

function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
