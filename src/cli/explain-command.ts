import { openCache } from '../cache/cache.ts';
import type { ActionKey } from '../cache/digest.ts';
import { checkStoreFolder } from '../cache/store-folder.ts';
import { explainCanister } from '../build/explain-canister.ts';
import { explainKeys } from '../build/explain-keys.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import { BuildError } from '../build/outcome.ts';
import { prepareBuild } from '../build/prepare.ts';
import { canisterText, keysText } from './explain-text.ts';
import { failureText } from './failures.ts';
import { findKey } from './find-key.ts';
import type { ExplainCommand, ExplainKeysCommand } from './history-options.ts';
import type { Host } from './host.ts';
import { readSettings, type Settings } from './settings.ts';
import { jsonText, onStore, refuse } from './store-trouble.ts';

/** `mops cache explain CANISTER | KEY KEY`. Answers the exit code. */
export async function explainCommand(command: ExplainCommand | ExplainKeysCommand, host: Host): Promise<number> {
  const { json } = command;
  return onStore(host, json, async () => {
    try {
      const settings = readSettings(host.env, mopsDirs(host), host.cwd);
      if (settings.mode === 'off') return refuse(host, json, 'the cache is off, so there is nothing to explain');
      if (command.kind === 'cache-explain-keys') return await explainTwoKeys(command, host, settings);
      return await explainOneCanister(command, host, settings);
    } catch (error) {
      if (!(error instanceof BuildError) || host.signal.aborted) throw error;
      return refuse(host, json, failureText(error.failure), { failure: error.failure });
    }
  });
}

/** Prepares as a build does, but installs nothing, and what a build would refuse to do later is no reason to refuse now. */
async function explainOneCanister(command: ExplainCommand, host: Host, settings: Settings): Promise<number> {
  const cache = openCache({
    dir: settings.dir,
    mode: checkStoreFolder(settings.dir) === 'empty' ? 'read-only' : settings.mode,
    leaseWaitMs: settings.leaseWaitMs,
  });
  const prepared = await prepareBuild({
    cwd: host.cwd,
    env: host.env,
    dirs: mopsDirs(host),
    cache,
    canisters: [command.canister],
    outputDir: undefined,
    optimize: true,
    locked: false,
    checkWasm: false,
    checkDeploy: false,
    script: host.script,
    node: host.node,
    noInstall: 'a build would install it first; explaining installs nothing',
    signal: host.signal,
  });
  const [canister] = prepared.canisters;
  if (canister === undefined) throw new Error('a canister that is neither there nor unknown');
  const explained = await explainCanister(
    { ...prepared, environment: host.env, mocArgs: command.mocArgs, scratchDir: host.tmpDir, signal: host.signal },
    canister,
  );
  if (command.json) host.out.write(jsonText({ ok: true, ...explained }));
  else host.out.write(canisterText(explained, Date.now(), host.out.paint));
  return 0;
}

async function explainTwoKeys({ prefixes, json }: ExplainKeysCommand, host: Host, settings: Settings): Promise<number> {
  const { dir } = settings;
  checkStoreFolder(dir);
  const keys: ActionKey[] = [];
  for (const prefix of prefixes) {
    const found = findKey(dir, prefix);
    if (typeof found !== 'string') return refuse(host, json, found.problem, found.more);
    keys.push(found);
  }
  const [before, after] = keys;
  if (before === undefined || after === undefined) throw new Error('two keys were found');
  const cache = openCache({ dir, mode: 'read-only', leaseWaitMs: 0 });
  const explained = await explainKeys(cache, before, after);
  switch (explained.kind) {
    case 'gone':
      return refuse(host, json, `${explained.key}: what it stands for is not in the cache any more, or damaged`);
    case 'apart':
      return refuse(
        host,
        json,
        'the keys are of different stages, and no build is known that has both stages of one of them\nname the compileKey of both: mops build --json has them',
      );
    case 'compared':
      if (json) host.out.write(jsonText({ ok: true, ...explained }));
      else host.out.write(keysText(explained, host.out.paint));
      return 0;
  }
}
