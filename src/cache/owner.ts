import { processHere, type ProcessId } from './process.ts';
import { seal, unseal } from './sealed.ts';
import { randomDigits } from './short-hash.ts';

/** Who holds a lock. Written beside the lock, because a file in a lock's folder would make it impossible to remove. */
export interface Owner extends ProcessId {
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
export function ownerHere(label: string, bell: string): Owner {
  return { ...processHere(), nonce: randomDigits(), label, sinceMs: Date.now(), bell };
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

const FORMAT = 'lock owner 1';

function parseRow(text: string): readonly unknown[] {
  try {
    const row: unknown = JSON.parse(text);
    return Array.isArray(row) ? (row as unknown[]) : [];
  } catch {
    return [];
  }
}
