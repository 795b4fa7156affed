import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { artifactsOf, hasEnded, PRELOAD } from '../rigs/faults-scene.ts';
import { inContainer, noContainers } from '../rigs/faults-surroundings.ts';
import { report } from '../rigs/report.ts';
import { CANISTER_A, scene, until, type Running, type Scene } from '../rigs/stand-in-project.ts';

const UPSTREAM = [process.execPath, join(import.meta.dirname, '..', 'rigs', 'stand-in-upstream-lock.mjs')];
const OTHERS = { 'src/A.mo': '// did: service : { theirs : () -> () }\nactor { }\n' };

const isStopped = ({ child }: Running): boolean => stateOf(child.pid) === 'T';

function stateOf(pid = 0): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
}

const linux = process.platform === 'linux';
if (!linux) console.log('skipped: whether a process is stopped can be seen on Linux only');

test.skipIf(!linux)(
  'stopped at any call on the outputs until upstream takes its lock for stale: no lock of theirs is removed, and the files are of one build',
  async () => {
    const on = scene();
    const theirs = join(on.base, 'theirs');
    on.put(OTHERS);
    await on.mops(['build', '-o', theirs]);
    on.put(CANISTER_A);
    await on.mops(['build']);
    const good = artifactsOf(on);
    const foreign = artifactsOf(on, theirs);

    let points = 0;
    const whose = { ours: 0, theirs: 0 };
    for (let at = 1; ; at += 1) {
      rmSync(on.out, { recursive: true });
      on.put(filesOf(theirs, '.mops/.build'));
      const calls = join(on.base, `calls ${at}`);
      const env = {
        NODE_OPTIONS: PRELOAD,
        FAULT_AT: `${at}`,
        FAULT_DO: 'stop',
        FAULT_UNDER: on.out,
        FAULT_CALLS: calls,
      };
      const ours = on.start(['build'], { env });
      while (!hasEnded(ours) && !isStopped(ours)) await new Promise((next) => setImmediate(next));
      if (hasEnded(ours)) break;
      points += 1;
      await makeStale(on);
      const go = join(on.base, `go ${at}`);
      const upstream = on.start([join(on.out, '.a.buildlock'), go, theirs], { command: UPSTREAM });
      await until(() => upstream.said().includes('held'), upstream);
      const before = attemptsIn(calls);
      ours.child.kill('SIGCONT');
      // It has ended, or it has met the other's lock.
      await until(() => hasEnded(ours) || attemptsIn(calls) > before + 1, upstream);
      writeFileSync(go, '');
      expect((await upstream.ended).code, `stopped at call ${at}`).toBe(0);
      const end = await ours.ended;
      expect(end.code, end.stderr).toBe(0);
      const found = JSON.stringify(artifactsOf(on));
      if (found === JSON.stringify(good)) whose.ours += 1;
      else if (found === JSON.stringify(foreign)) whose.theirs += 1;
      expect(on.litter(), `stopped at call ${at}`).toEqual([]);
    }
    report('Stopped at every call on the outputs, until upstream has taken its lock for stale, and continued', [
      { what: 'points', found: `${points}` },
      { what: 'files of one build in the end', found: `${whose.ours + whose.theirs}`, asked: `${points}` },
      { what: 'of these ours, theirs', found: `${whose.ours}, ${whose.theirs}` },
      { what: 'foreign locks removed', found: '0', asked: '0' },
    ]);
    expect(points).toBeGreaterThan(20);
    expect(whose.ours + whose.theirs).toBe(points);
  },
);

/** As if the stop had lasted longer than any lock lives. */
async function makeStale(on: Scene): Promise<void> {
  const marker = join(on.out, '.a.buildlock');
  const lock = `${marker}.lock`;
  if (!existsSync(lock)) return;
  const then = (Date.now() - 301_000) / 1000;
  utimesSync(lock, then, then);
  // Between the lock and its record the time that has really passed counts.
  if (readFileSync(marker, 'utf8') === '') await new Promise((passed) => setTimeout(passed, 1_000));
}

/** How often it has tried to make the lock, or has looked at it. */
function attemptsIn(calls: string): number {
  return (readFileSync(calls, 'utf8').match(/^(?:mkdirSync|lstatSync) .*\.buildlock\.lock$/gm) ?? []).length;
}

function filesOf(dir: string, to: string): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries(
    ['wasm', 'did', 'most'].map((end) => [`${to}/a.${end}`, readFileSync(join(dir, `a.${end}`))]),
  );
}

if (noContainers !== undefined) console.log(`skipped: a holder stopped in a container: ${noContainers}`);

test.skipIf(noContainers !== undefined)(
  'a holder stopped in another container until it is taken for dead, then continued: it says so, and harms nobody',
  async () => {
    const on = scene();
    await on.mops(['build', '--no-cache']);
    const good = artifactsOf(on);
    const [go, goOn] = ['go', 'go on'].map((name) => join(on.base, name));
    const container = inContainer('one');
    const stopped = on.start(['build'], { ...container, env: { STAND_IN: 'hold', STAND_IN_HOLD: go } });
    await until(() => on.starts().length === 2, stopped);
    const inside = childrenOf(stopped.child.pid ?? 0);
    for (const pid of inside) process.kill(pid, 'SIGSTOP');
    const next = on.start(['build'], { env: { STAND_IN: 'hold', STAND_IN_HOLD: goOn } });
    await until(() => on.starts().length === 3, next);
    // The next one has the lease now, and a third waits for it.
    const third = on.start(['build']);
    await until(() => third.said().includes('another build compiles it'), third);
    writeFileSync(go ?? '', '');
    for (const pid of inside) process.kill(pid, 'SIGCONT');
    const end = await stopped.ended;
    expect(end.code).toBe(0);
    expect(end.stderr).toContain('another process took this one for dead');
    expect(hasEnded(next)).toBe(false);
    writeFileSync(goOn ?? '', '');
    for (const { ended } of [next, third]) expect((await ended).code).toBe(0);
    expect(on.starts()).toHaveLength(3); // the first was to have the files to compare with
    expect(artifactsOf(on)).toEqual(good);
    expect(on.litter()).toEqual([]);
  },
);

/** The processes that it has started. */
function childrenOf(pid: number): readonly number[] {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', `${pid}`, '--no-headers'], { encoding: 'utf8' }).split(
    '\n',
  );
  return children.filter((line) => line.trim() !== '').map(Number);
}
