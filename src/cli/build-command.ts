import { dirname, join, resolve } from 'node:path';
import { openCache, type CacheOptions } from '../cache/cache.ts';
import { statSync } from '../cache/disk.ts';
import { openSurvey } from '../cache/sights.ts';
import { startBuild } from '../build/build.ts';
import type { Explanation } from '../build/explain.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import { BuildError, type BuildEvent, type Failure, type Outcome } from '../build/outcome.ts';
import { prepareBuild } from '../build/prepare.ts';
import { failureText, saidText } from './failures.ts';
import type { Host } from './host.ts';
import { buildJson } from './json.ts';
import { findUndoneLink } from './link.ts';
import type { Live } from './live.ts';
import { appendLog } from './log.ts';
import type { BuildCommand } from './options.ts';
import { executablesIn, leaveStanding } from './leave-standing.ts';
import {
  colourWarning,
  complexityLines,
  countText,
  eventText,
  optimizedText,
  outcomeLine,
  pathLines,
  startText,
  successText,
  withNewline,
} from './report.ts';
import { readSettings, type Settings } from './settings.ts';

/** `mops build`. Answers the exit code. */
export async function buildCommand(command: BuildCommand, host: Host, live: Live): Promise<number> {
  const started = performance.now();
  const events: BuildEvent[] = [];
  const outcomes: Outcome[] = [];
  const linesOf = command.explain ? (await import('./explain-text.ts')).explanationLines : undefined;
  const tell = command.json ? undefined : teller(command, host, live, linesOf);
  let log: string | undefined;
  const onEvent = (event: BuildEvent) => {
    events.push(event);
    if (log !== undefined) appendLog(log, event);
    tell?.event(event);
  };
  let failure: Failure | undefined;
  let upkeep: (() => Promise<string | undefined>) | undefined;
  const survey = openSurvey();
  for (const path of executablesIn(dirname(host.script))) statSync(path);
  try {
    const dirs = mopsDirs(host);
    const settings = readSettings(host.env, dirs, host.cwd);
    log = settings.logFile;
    const cache = openCache({
      dir: settings.dir,
      mode: modeOf(command, settings),
      leaseWaitMs: settings.leaseWaitMs,
      onEvent,
    });
    upkeep = async () => {
      const { collectLater } = await import('./gc-later.ts');
      return collectLater(cache, settings, outcomes, host);
    };
    const undone = findUndoneLink(host.cwd);
    if (undone !== undefined) {
      onEvent({
        kind: 'note',
        text: `warning: ${join(undone, 'mops')} does not start moccache any more; run: moccache link`,
      });
    }
    const prepared = await prepareBuild({
      cwd: host.cwd,
      env: host.env,
      dirs,
      cache,
      canisters: command.canisters,
      outputDir: command.output === undefined ? undefined : resolve(host.cwd, command.output),
      optimize: command.optimize,
      locked: command.locked,
      checkWasm: command.checkWasm,
      checkDeploy: command.checkDeploy,
      script: host.script,
      node: host.node,
      signal: host.signal,
      onEvent,
    });
    const pending = await startBuild({
      ...prepared,
      environment: host.env,
      mocArgs: command.mocArgs,
      jobs: command.jobs,
      keepGoing: command.keepGoing,
      rebuild: command.rebuild,
      explain: command.explain,
      scratchDir: host.tmpDir,
      signal: host.signal,
      onEvent,
    });
    for (const [index, outcome] of pending.entries()) {
      const name = prepared.canisters[index]?.name ?? '';
      tell?.start(name);
      const end = await outcome;
      if (end.outcome === 'failed' && end.failure.kind === 'cancelled') break;
      outcomes.push(end);
      if (log !== undefined) appendLog(log, end);
      tell?.end(end);
      if (end.outcome === 'failed' && !command.keepGoing) break;
    }
    await Promise.all(pending);
    const isBuilt = outcomes.filter(({ outcome }) => outcome !== 'failed').length === prepared.canisters.length;
    if (isBuilt && !host.signal.aborted) await prepared.deployCheck?.run({ verbose: command.verbose });
    leaveStanding({ command, host, cache, project: prepared, events, outcomes }, survey.seen());
  } catch (error) {
    if (!(error instanceof BuildError) || host.signal.aborted) throw error;
    failure = error.failure;
  } finally {
    survey.close();
  }
  if (host.signal.aborted) failure ??= { kind: 'cancelled' };
  if (command.json) host.out.write(buildJson(outcomes, events, performance.now() - started, failure));
  else tell?.close(outcomes, failure);
  if (!host.signal.aborted && outcomes.some(({ outcome }) => outcome === 'built')) {
    const note = await upkeep?.();
    if (note !== undefined && !command.json) host.err.write(`${note}\n`);
  }
  return exitCodeOf(outcomes, failure);
}

/** moc's own code where moc rejects the program, so that scripts see what upstream's build would give them. */
function exitCodeOf(outcomes: readonly Outcome[], failure: Failure | undefined): number {
  const failures = outcomes.flatMap((outcome) => (outcome.outcome === 'failed' ? [outcome.failure] : []));
  const first = failure ?? failures[0];
  if (first === undefined) return 0;
  return first.kind === 'rejected' ? first.exitCode : 1;
}

function modeOf(command: BuildCommand, settings: Settings): CacheOptions['mode'] {
  return command.cache ? settings.mode : 'off';
}

interface Teller {
  event(event: BuildEvent): void;
  start(canister: string): void;
  end(outcome: Outcome): void;
  close(outcomes: readonly Outcome[], failure: Failure | undefined): void;
}

/** Upstream's lines to stdout, in order; ours to stderr. */
function teller(
  command: BuildCommand,
  host: Host,
  live: Live,
  linesOf: ((explanation: Explanation) => readonly string[]) | undefined,
): Teller {
  const { out, err } = host;
  const said = new Set<string>();
  const complain = (failure: Failure) => {
    const said = saidText(failure);
    live.print(`${said}${err.paint.red('error:')} ${failureText(failure).slice(said.length)}\n`);
  };
  return {
    event(event) {
      const now = performance.now();
      if (event.kind === 'deploy-said') {
        if (event.stream === 'stdout') live.printOut(`${event.line}\n`);
        else live.print(`${event.line}\n`);
        return;
      }
      if (event.kind === 'deploy-checking') {
        live.set('PocketIC', { doing: 'installing what was built', sinceMs: now, expectedMs: undefined });
      } else if (event.kind === 'compiling') {
        live.set(event.canister, { doing: 'compiling', sinceMs: now, expectedMs: event.lastMs });
      } else if (event.kind === 'lease-wait') {
        live.set(event.label, { doing: 'waiting for another build', sinceMs: now, expectedMs: undefined });
      } else if (event.kind === 'optimizing') {
        live.set(event.canister, { doing: 'optimizing', sinceMs: now, expectedMs: undefined });
      } else if (event.kind === 'compiled' || event.kind === 'optimized') live.set(event.canister, undefined);
      const line = eventText(event);
      if (line === undefined || (!line.loud && !command.verbose) || said.has(line.text)) return;
      said.add(line.text);
      live.print(`${line.loud ? colourWarning(line.text, err.paint) : err.paint.dim(line.text)}\n`);
    },
    start: (canister) => live.printOut(startText(canister, out.paint)),
    end(outcome) {
      live.set(outcome.canister, undefined);
      if (outcome.outcome === 'failed') complain(outcome.failure);
      else if (command.verbose && outcome.diagnostics !== '') live.print(withNewline(outcome.diagnostics));
      if (outcome.outcome !== 'failed') {
        if (outcome.optimizer !== undefined) live.printOut(optimizedText(outcome, out.paint));
        live.print(`${outcomeLine(outcome, command.verbose, err.paint)}\n`);
        for (const line of complexityLines(outcome)) live.print(`${colourWarning(line, err.paint)}\n`);
        for (const line of command.verbose ? pathLines(outcome, host.cwd) : []) live.print(`${err.paint.dim(line)}\n`);
        const lines = outcome.explanation === undefined ? undefined : linesOf?.(outcome.explanation);
        for (const line of lines ?? []) live.print(`    ${line}\n`);
      }
    },
    close(outcomes, failure) {
      live.close();
      if (failure !== undefined) complain(failure);
      const failed = outcomes.filter(({ outcome }) => outcome === 'failed').length;
      if (failure !== undefined || failed > 0) {
        if (failed > 0 && outcomes.length > 1)
          err.write(`${failed} of ${countText(outcomes.length, 'canister')} failed\n`);
        return;
      }
      out.write(successText(outcomes.length, out.paint));
    },
  };
}
