import type { BuildEvent, Failure, Outcome } from '../build/outcome.ts';
import { failureText } from './failures.ts';

/** The one JSON document of `mops build --json`. Its shape is a promise: what changes here changes `schema`. */
export function buildJson(
  outcomes: readonly Outcome[],
  events: readonly BuildEvent[],
  durationMs: number,
  failure?: Failure,
): string {
  const document = {
    schema: 1,
    ok: failure === undefined && outcomes.every(({ outcome }) => outcome !== 'failed'),
    durationMs: Math.round(durationMs),
    canisters: outcomes.map(canisterJson),
    events: events.filter(({ kind }) => !PROGRESS.has(kind)),
    ...(failure === undefined ? {} : { failure: failureJson(failure) }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Events that only say how far a build is; the outcomes say it better once it is over. */
const PROGRESS: ReadonlySet<BuildEvent['kind']> = new Set([
  'canister-started',
  'compiling',
  'compiled',
  'optimizing',
  'optimized',
  'migrations-chosen',
  'deploy-checking',
]);

function canisterJson(outcome: Outcome): object {
  const durationMs = Math.round(outcome.durationMs);
  if (outcome.outcome === 'failed') return { ...outcome, durationMs, failure: failureJson(outcome.failure) };
  return { ...outcome, durationMs, compileMs: Math.round(outcome.compileMs) };
}

function failureJson(failure: Failure): object {
  return { ...failure, message: failureText(failure) };
}
