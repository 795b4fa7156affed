import { buildSync } from 'esbuild';
import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Task, Told } from './cache-worker.ts';

/** A process that does one task. It has its own home and temporary folder, within the test's. */
export interface Worker {
  readonly pid: number;
  /** The next message of that kind, whether it has come already or not. Rejects when the process ends without it. */
  next<K extends Told['kind']>(kind: K): Promise<Extract<Told, { kind: K }>>;
  say(word: 'go' | 'finish'): void;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

let dir: string;
let bundle: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'cache-worker-'));
  chmodSync(dir, 0o755); // another user may have to read it
  bundle = join(dir, 'worker.mjs');
  buildSync({
    entryPoints: [join(import.meta.dirname, 'cache-worker.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Starts a process that is loaded and ready, and waits for `go`. */
export async function startWorker(
  home: string,
  task: Task,
  as: Pick<ForkOptions, 'uid' | 'gid' | 'execPath' | 'execArgv'> = {},
): Promise<Worker> {
  const tmp = join(home, 'tmp');
  mkdirSync(tmp, { recursive: true });
  const env = { ...process.env, HOME: home, XDG_CACHE_HOME: home, TMPDIR: tmp };
  const child = fork(bundle, [JSON.stringify(task)], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], ...as });
  onTestFinished(() => void child.kill('SIGKILL'));
  const worker = watch(child);
  await worker.next('ready');
  return worker;
}

/** Starts many, and lets them go at once. */
export async function startWorkers(home: string, tasks: readonly Task[]): Promise<readonly Worker[]> {
  const workers = await Promise.all(tasks.map((task) => startWorker(home, task)));
  workers.forEach((worker) => worker.say('go'));
  return workers;
}

function watch(child: ChildProcess): Worker {
  const queue: Told[] = [];
  const waiting = new Set<() => void>();
  const changed = () => {
    const all = [...waiting];
    waiting.clear();
    all.forEach((wake) => wake());
  };
  let isOver = false;
  child.on('message', (message) => {
    queue.push(message as Told);
    changed();
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => {
      isOver = true;
      changed();
      resolve(signal ?? code ?? -1);
    });
  });
  return {
    pid: child.pid ?? -1,
    ended,
    say: (word) => void child.send(word),
    kill: (signal) => void child.kill(signal),
    async next(kind) {
      for (;;) {
        const index = queue.findIndex((message) => message.kind === kind);
        const [message] = index < 0 ? [] : queue.splice(index, 1);
        if (message !== undefined) return message as never;
        if (isOver) throw new Error(`the process ended without '${kind}'`);
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
  };
}
