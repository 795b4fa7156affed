import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readJournal } from '../cache/journal.ts';
import { checkStoreFolder, storePathsOf } from '../cache/store-folder.ts';
import { historyOf } from '../build/history.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import { BuildError } from '../build/outcome.ts';
import { statisticsOf } from '../build/statistics.ts';
import { failureText } from './failures.ts';
import type { StatsCommand } from './history-options.ts';
import type { Host } from './host.ts';
import { readSettings } from './settings.ts';
import { blocksFor, statsText } from './stats-text.ts';
import { jsonText, onStore, refuse } from './store-trouble.ts';

/** `mops cache stats`. Answers the exit code. Only reads, but for the report that is asked for. */
export async function statsCommand(command: StatsCommand, host: Host): Promise<number> {
  const { json, html, since } = command;
  const nowMs = Date.now();
  const sinceMs = since === undefined ? undefined : 'agoMs' in since ? nowMs - since.agoMs : since.atMs;
  if (sinceMs !== undefined && sinceMs > nowMs) return refuse(host, json, '--since is a time that is yet to come');
  return onStore(host, json, async () => {
    const dir = storeDirOf(host);
    if (typeof dir !== 'string') return refuse(host, json, failureText(dir.failure), { failure: dir.failure });
    checkStoreFolder(dir);
    const stats = statisticsOf(historyOf(readJournal(storePathsOf(dir).journal)), sinceMs, nowMs);
    if (json) host.out.write(jsonText({ ok: true, ...stats }));
    else if (html === undefined) {
      host.out.write(statsText(stats, blocksFor(host.out.isTerminal, host.env), host.out.paint));
    } else {
      const { MARK, statsHtml } = await import('./stats-html.ts');
      const problem = writeReport(resolve(host.cwd, html), statsHtml(stats), MARK);
      if (problem !== undefined) return refuse(host, json, `${html}: ${problem}`);
      host.out.write(`written to ${html}\n`);
    }
    return 0;
  });
}

function storeDirOf(host: Host): string | BuildError {
  try {
    return readSettings(host.env, mopsDirs(host), host.cwd).dir;
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
}

/** What is wrong, where it cannot be written. A file that is no report is not written over: it may have been a slip. */
function writeReport(file: string, html: string, mark: string): string | undefined {
  try {
    if (!readFileSync(file, 'utf8').startsWith(mark)) return 'is there already and is no report; name another file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return `cannot be written (${code ?? String(error)})`;
  }
  try {
    writeFileSync(file, html);
    return undefined;
  } catch (error) {
    return `cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}
