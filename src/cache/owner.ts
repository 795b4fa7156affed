import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { seal, unseal } from './sealed.ts';

/** Who holds a lock. Written beside the lock, because a file in a lock's folder would make it impossible to remove. */
export interface Owner {
  readonly host: string;
  /** Which start of the host, and which world of process ids on it: only there does `pid` mean anything. */
  readonly boot: string;
  readonly pids: string;
  readonly pid: number;
  /** When the process began, in the system's own ticks; empty where the system does not tell. */
  readonly started: string;
  /** Of this very holding. */
  readonly nonce: string;
  readonly label: string;
  /** Milliseconds since the epoch. For people; decides nothing. */
  readonly sinceMs: number;
  /** Where waiters may knock; empty where they cannot. */
  readonly bell: string;
}

/** An owner record: who, and which lock it speaks of (see lockIdentity), so that a record left behind is not believed. */
export interface OwnerRecord {
  readonly owner: Owner;
  readonly lockIdentity: string;
}

/** This process as an owner. */
export function ownerHere(label: string, bellOf: (nonce: string) => string): Owner {
  const nonce = randomBytes(8).toString('hex');
  return { ...here(), nonce, label, sinceMs: Date.now(), bell: bellOf(nonce) };
}

export function writeOwnerRecord({ owner, lockIdentity }: OwnerRecord): string {
  const { host, boot, pids, pid, started, nonce, label, sinceMs, bell } = owner;
  return seal(JSON.stringify([FORMAT, lockIdentity, host, boot, pids, pid, started, nonce, label, sinceMs, bell]));
}

/** The record, or undefined where the text is none, whole and unchanged. */
export function parseOwnerRecord(sealed: string): OwnerRecord | undefined {
  const text = unseal(sealed);
  if (text === undefined) return undefined;
  const row = parseRow(text);
  const [format, lockIdentity, host, boot, pids, pid, started, nonce, label, sinceMs, bell] = row;
  if (format !== FORMAT || row.length !== 11 || typeof pid !== 'number' || typeof sinceMs !== 'number')
    return undefined;
  if (typeof lockIdentity !== 'string' || typeof host !== 'string' || typeof boot !== 'string') return undefined;
  if (typeof pids !== 'string' || typeof started !== 'string' || typeof nonce !== 'string') return undefined;
  if (typeof label !== 'string' || typeof bell !== 'string') return undefined;
  return { lockIdentity, owner: { host, boot, pids, pid, started, nonce, label, sinceMs, bell } };
}

/**
 * Whether the owner's process lives. `unclear` where that cannot be seen from here: another host, another container,
 * a system that does not tell when a process began. Then only the lock's heartbeat can say.
 */
export function livenessOf(owner: Owner): 'alive' | 'dead' | 'unclear' {
  if (!isNeighbour(owner)) return 'unclear';
  const visible = processExists(owner.pid);
  if (!visible) return 'dead';
  const now = statOf(owner.pid);
  if (now === undefined || owner.started === '') return 'unclear';
  return now.ended || now.started !== owner.started ? 'dead' : 'alive';
}

/** Whether the owner runs where its process id and its bell can be reached from here. */
export function isNeighbour(owner: Owner): boolean {
  const me = here();
  return owner.host === me.host && owner.boot === me.boot && owner.pids === me.pids;
}

/** Whether this host has a process with that id. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: somebody else's, but there
  }
}

const FORMAT = 'lock owner 1';

type Here = Pick<Owner, 'host' | 'boot' | 'pids' | 'pid' | 'started'>;
let known: Here | undefined;

function here(): Here {
  known ??= {
    host: hostname(),
    boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    pids: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    started: statOf(process.pid)?.started ?? '',
  };
  return known;
}

/** From /proc: when the process began (field 22), and whether it has ended and only waits to be collected (field 3). */
function statOf(pid: number): { readonly started: string; readonly ended: boolean } | undefined {
  const text = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The second field is the program's name in brackets, and may hold brackets and spaces itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  if (state === undefined || started === undefined) return undefined;
  return { started, ended: state === 'Z' || state === 'X' };
}

function parseRow(text: string): readonly unknown[] {
  try {
    const row: unknown = JSON.parse(text);
    return Array.isArray(row) ? (row as unknown[]) : [];
  } catch {
    return [];
  }
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
