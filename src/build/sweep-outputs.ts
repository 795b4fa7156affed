import { join } from 'node:path';
import { breakDeadFileLock } from '../cache/file-lock.ts';
import { removeForsaken } from '../cache/forsaken.ts';
import { namesIn } from '../cache/leftovers.ts';

/** Removes what killed builds left beside the files of an output directory, locks included. Never throws. */
export async function sweepOutputs(dir: string, nowMs: number): Promise<void> {
  removeForsaken(dir, nowMs, (name) => LITTER.exec(name)?.[1]);
  for (const name of namesIn(dir)) {
    if (LOCK.test(name)) await breakDeadFileLock(join(dir, name.slice(0, -'.lock'.length)));
  }
}

const LITTER = /^\..+\.(?:wasm|did|most|wasm\.map|buildlock)\.(\d+-[0-9a-f]{8}-\d+-[0-9a-f]{12})\.(?:tmp|old)$/;
const LOCK = /^\..+\.buildlock\.lock$/;
