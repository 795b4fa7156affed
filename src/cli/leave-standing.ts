import { dirname, join } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import type { Sight } from '../cache/sights.ts';
import type { BuildEvent, Outcome } from '../build/outcome.ts';
import type { Prepared } from '../build/prepare.ts';
import type { Host } from './host.ts';
import type { BuildCommand } from './options.ts';
import { questionOf } from './question.ts';
import { eventText } from './report.ts';
import type { Hit, Standing } from './standing.ts';

export interface Ended {
  readonly command: BuildCommand;
  readonly host: Host;
  readonly cache: Cache;
  readonly project: Pick<Prepared, 'project' | 'outputDir' | 'canisters' | 'deployCheck'>;
  readonly events: readonly BuildEvent[];
  readonly outcomes: readonly Outcome[];
}

/**
 * Leaves a trail for the next build of the same, where all that this one did was to look: every canister hit, from this
 * machine, and nothing happened that may not happen again.
 */
export function leaveStanding(ended: Ended, sights: readonly Sight[] | undefined): void {
  const { command, host, cache, project, events, outcomes } = ended;
  const hits = outcomes.filter(isPlainHit);
  const isOrdinary =
    !command.json &&
    !command.rebuild &&
    project.deployCheck === undefined && // it is to run every time
    (host.env.MOCCACHE_LOG ?? '') === '' &&
    hits.length === project.canisters.length;
  if (sights === undefined || !isOrdinary || !events.every(({ kind }) => STEADY.has(kind))) return;
  const standing: Standing = {
    root: project.project.root,
    outputDir: project.outputDir,
    scratchDir: host.tmpDir,
    verbose: command.verbose,
    remarks: [...new Set(events.map(eventText).flatMap((line) => (line?.loud === true ? line.text : [])))],
    hits,
  };
  const scriptDir = dirname(host.script);
  const question = questionOf({ cwd: host.cwd, scriptDir, args: host.args, env: host.env });
  const blobs = new Set(hits.flatMap(({ artifacts }) => Object.values(artifacts).map(({ digest }) => digest)));
  cache.leaveTrail(question, sights, standing, blobs);
}

/** A new version of ours may see things otherwise: its executables are a part of what is seen. */
export function executablesIn(scriptDir: string): readonly string[] {
  return ['mops.cjs', 'mops-restore.cjs', 'mops-main.cjs'].map((name) => join(scriptDir, name));
}

function isPlainHit(outcome: Outcome): outcome is Hit {
  return outcome.outcome === 'hit' && outcome.tier === 'local' && !outcome.waited && outcome.key !== undefined;
}

/** Events that come in every build of the same, or say nothing. */
const STEADY: ReadonlySet<BuildEvent['kind']> = new Set(['canister-started', 'managed-flag', 'major-conflict', 'note']);
