import type { ActionKey } from '../cache/digest.ts';
import { readJournal } from '../cache/journal.ts';
import { storePathsOf } from '../cache/store-folder.ts';
import { verifyStore, type Verification, type VerifyProgress } from '../cache/verify.ts';
import { historyOf } from '../build/history.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import type { Host } from './host.ts';
import { sizeText } from './quantities.ts';
import { readSettings } from './settings.ts';
import { jsonText, onStore, refuse } from './store-trouble.ts';
import { verificationText } from './verify-text.ts';

/** `mops cache verify`. Answers the exit code: 1 where anything was not as it was written. */
export async function verifyCommand({ json }: { readonly json: boolean }, host: Host): Promise<number> {
  return onStore(host, json, async () => {
    const { dir, mode } = readSettings(host.env, mopsDirs(host), host.cwd);
    if (mode === 'off') return refuse(host, json, 'the cache is off, so there is nothing to verify');
    const startedMs = performance.now();
    const progress = host.err.isTerminal ? progressLine(host) : undefined;
    let verification: Verification;
    try {
      verification = await verifyStore({
        dir,
        readOnly: mode === 'read-only',
        onProgress: progress?.show,
        signal: host.signal,
      });
    } finally {
      progress?.clear();
    }
    const durationMs = Math.round(performance.now() - startedMs);
    const ok = verification.problems.length === 0;
    if (json) host.out.write(jsonText({ ok, ...verification, durationMs }));
    else {
      const names = ok ? new Map<ActionKey, string>() : canistersByKey(storePathsOf(dir).journal);
      host.out.write(verificationText(verification, names, durationMs, host.out.paint));
    }
    return ok ? 0 : 1;
  });
}

const SHOW_EVERY_MS = 100;

/** One line on the terminal that is written over: blobs are nearly all the work. */
function progressLine({ err }: Host): {
  readonly show: (progress: VerifyProgress) => void;
  readonly clear: () => void;
} {
  let shownMs = performance.now(); // what is over in an instant shows none
  let isShown = false;
  return {
    show({ stage, share, readBytes }) {
      if (performance.now() - shownMs < SHOW_EVERY_MS) return;
      shownMs = performance.now();
      isShown = true;
      const done = `${Math.floor(share * 100)} %`;
      err.write(`\r\u001b[2K${err.paint.dim(`checking ${stage}: ${done}, ${sizeText(readBytes)} read`)}`);
    },
    clear() {
      if (isShown) err.write('\r\u001b[2K');
    },
  };
}

function canistersByKey(journalDir: string): ReadonlyMap<ActionKey, string> {
  const { records } = historyOf(readJournal(journalDir));
  return new Map(
    records.flatMap(({ canister, key, compileKey, optimizeKey }) =>
      [key, compileKey, optimizeKey].flatMap((of) => (of === undefined ? [] : [[of, canister] as const])),
    ),
  );
}
