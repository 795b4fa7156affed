import { isSystemError, TierError } from '../cache/tier.ts';
import type { Host } from './host.ts';

/** One JSON document, with the version of its shape. */
export function jsonText(document: object): string {
  return `${JSON.stringify({ schema: 1, ...document }, undefined, 2)}\n`;
}

/** Says why a command did nothing: on stderr, or as its JSON. Answers the exit code. */
export function refuse(host: Host, json: boolean, message: string, more: object = {}): number {
  if (json) host.out.write(jsonText({ ok: false, message, ...more }));
  else host.err.write(`${host.err.paint.red('error:')} ${message}\n`);
  return 1;
}

/** Runs what works on the store; where that is not ours, or the system says no, that is the answer. */
export async function onStore(host: Host, json: boolean, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TierError && error.cause instanceof Error) return refuse(host, json, error.cause.message);
    if (isSystemError(error)) return refuse(host, json, (error as Error).message);
    throw error;
  }
}
