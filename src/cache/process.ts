import { readFileSync, readlinkSync } from 'node:fs';
import { bootHere } from './boot.ts';
import { randomDigits, shortHashOf } from './short-hash.ts';

/** A process, so that others can tell whether it lives. */
export interface ProcessId {
  readonly host: string;
  /** Which start of the host, and which world of process ids on it: only there does `pid` mean anything. */
  readonly boot: string;
  readonly pids: string;
  readonly pid: number;
  /** When the process began, in the system's own ticks; empty where the system does not tell. */
  readonly started: string;
}

/** `unclear` where it cannot be seen from here: another host, another container, a system that does not tell enough. */
export type Liveness = 'alive' | 'dead' | 'unclear';

export function processHere(): ProcessId {
  known ??= {
    host: hostHere(),
    boot: bootHere(),
    pids: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    started: statOf(process.pid)?.started ?? '',
  };
  return known;
}

/** As os.hostname has it, which Node loads for longer than all else here takes. */
function hostHere(): string {
  const name = orEmpty(() => readFileSync('/proc/sys/kernel/hostname', 'utf8').trim());
  return name === '' ? process.getBuiltinModule('node:os').hostname() : name;
}

export function livenessOf(id: ProcessId): Liveness {
  return isNeighbour(id) ? livenessHere(id.pid, id.started) : 'unclear';
}

/** Whether the process runs where its id and its sockets can be reached from here. */
export function isNeighbour(id: ProcessId): boolean {
  const me = processHere();
  return id.host === me.host && id.boot === me.boot && id.pids === me.pids;
}

/** Whether this host has a process with that id. */
function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: somebody else's, but there
  }
}

/**
 * A name that nothing else has, for what goes with this process: `PID-WORLD-STARTED-RANDOM`, with a few digits of the
 * hash of host, boot and world of process ids. Whoever finds it later can tell whether it is forsaken.
 */
export function nameOfOurs(): string {
  const { pid, started } = processHere();
  return `${pid}-${worldHere()}-${started === '' ? '0' : started}-${randomDigits()}`;
}

/** Whether the process lives that made something under such a name. `unclear` for any other name. */
export function livenessOfName(name: string): Liveness {
  const [, pid, world, started] = NAME.exec(name) ?? [];
  if (pid === undefined || world !== worldHere()) return 'unclear';
  return livenessHere(Number(pid), started === '0' ? '' : (started ?? ''));
}

// What follows is whatever the maker of the name adds.
const NAME = /^(\d+)-([0-9a-f]{8})-(\d+)-/;

let known: ProcessId | undefined;
let world: string | undefined;

function worldHere(): string {
  const { host, boot, pids } = processHere();
  world ??= shortHashOf(JSON.stringify([host, boot, pids])).slice(0, 8);
  return world;
}

function livenessHere(pid: number, started: string): Liveness {
  if (!processExists(pid)) return 'dead';
  const now = statOf(pid);
  if (now === undefined || started === '') return 'unclear';
  return now.ended || now.started !== started ? 'dead' : 'alive';
}

/** From /proc: when the process began (field 22), and whether it has ended and only waits to be collected (field 3). */
function statOf(pid: number): { readonly started: string; readonly ended: boolean } | undefined {
  const text = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the program's name in brackets, and may hold brackets, spaces and any bytes itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  if (state === undefined || started === undefined) return undefined;
  return { started, ended: state === 'Z' || state === 'X' };
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
