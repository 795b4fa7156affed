import { openCache } from '../cache/cache.ts';
import { checkStoreFolder } from '../cache/store-folder.ts';
import { inspectKey, type Inspection } from '../build/inspect.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import type { InspectCommand } from './check-options.ts';
import { findKey } from './find-key.ts';
import type { Host } from './host.ts';
import { inspectionText } from './inspect-text.ts';
import { readSettings } from './settings.ts';
import { jsonText, onStore, refuse } from './store-trouble.ts';

/** `mops cache inspect KEY`. Answers the exit code. Only reads. */
export async function inspectCommand({ prefix, json }: InspectCommand, host: Host): Promise<number> {
  return onStore(host, json, async () => {
    const { dir, mode } = readSettings(host.env, mopsDirs(host), host.cwd);
    if (mode === 'off') return refuse(host, json, 'the cache is off, so there is nothing to inspect');
    checkStoreFolder(dir);
    const key = findKey(dir, prefix);
    if (typeof key !== 'string') return refuse(host, json, key.problem, key.more);
    const inspected = await inspectKey(openCache({ dir, mode: 'read-only', leaseWaitMs: 0 }), key);
    switch (inspected.kind) {
      case 'gone':
        return refuse(host, json, `${key}: its result cannot be read, or was deleted just now`, { key });
      case 'damaged':
        return refuse(host, json, `${key}: its result is damaged\nthe next build of it makes it anew`, { key });
      case 'found':
        host.out.write(json ? jsonOf(inspected) : inspectionText(inspected, Date.now(), host.out.paint));
        return 0;
    }
  });
}

/** Of the document both its text, whose digest is the key, and its rows, for programs. */
function jsonOf({ document, ...rest }: Inspection): string {
  return jsonText({ ok: true, ...rest, document, rows: document?.split('\n').flatMap(rowsOf) });
}

/** A line that is no row is skipped, as in factsOf. */
function rowsOf(line: string): readonly unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
