import { relative } from 'node:path';
import type { BuildEvent, Outcome } from '../build/outcome.ts';

/** Colours, or none: functions so that the terminal's abilities are decided once, elsewhere. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
}

/** Upstream's lines: before each canister, and at the end. */
export function startText(canister: string, paint: Paint): string {
  return `${paint.blue('build canister')} ${paint.bold(canister)}\n`;
}

/** Upstream's line for a canister that has been through wasm-opt; empty for any other. */
export function optimizedText({ canister, optimizer }: Exclude<Outcome, { outcome: 'failed' }>, paint: Paint): string {
  return optimizer === undefined ? '' : `${paint.dim(`Optimized ${canister}.wasm (${optimizer})`)}\n`;
}

export function successText(count: number, paint: Paint): string {
  const built = `✓ Built ${countText(count, 'canister')} successfully`;
  return `${paint.green('')}\n${paint.green(built)}\n`; // upstream colours the empty line too
}

/** Our line for one canister: what happened, how long it took, what was saved. */
export function outcomeLine(outcome: Outcome, verbose: boolean, paint: Paint): string {
  const { canister } = outcome;
  if (outcome.outcome === 'failed') {
    return `  ${paint.bold(canister)}  ${paint.red('failed')} after ${durationText(outcome.durationMs)}`;
  }
  const warnings = verbose ? 0 : warningsIn(outcome.diagnostics);
  const tail =
    warnings === 0 ? '' : `, ${countText(warnings, 'warning')} (--verbose shows ${warnings === 1 ? 'it' : 'them'})`;
  return `  ${paint.bold(canister)}  ${whatHappened(outcome, paint)}${paint.dim(tail)}`;
}

function whatHappened(outcome: Exclude<Outcome, { outcome: 'failed' }>, paint: Paint): string {
  const took = durationText(outcome.durationMs);
  const saves = `saves ${durationText(outcome.compileMs)} of compiling`;
  if (outcome.outcome === 'hit') {
    const from = outcome.tier === 'local' ? '' : ` from ${outcome.tier}`;
    const files = outcome.files === 'unchanged' ? ', files up to date' : '';
    const how = outcome.waited ? `, compiled by another build meanwhile` : files;
    return `${paint.green('hit')}${from}${how}: ${took}, ${saves}`;
  }
  if (outcome.stage !== 'compile') {
    const [done, what] =
      outcome.stage === 'finish'
        ? ['finished', 'what follows the compiler']
        : ['optimized', 'what follows the metadata'];
    const why = outcome.cause === 'absent' ? `only ${what} had changed` : reasonOf(outcome);
    return `${paint.yellow(done)}: ${took}, ${saves} (${why})`;
  }
  return `${paint.yellow('compiled')}: ${took} (${reasonOf(outcome)})`;
}

function reasonOf(outcome: Extract<Outcome, { outcome: 'built' }>): string {
  switch (outcome.cause) {
    case 'absent':
      return 'not in the cache before';
    case 'damaged':
      return 'the cached copy was damaged, and is replaced';
    case 'incomplete':
      return 'a part of the cached copy was gone, and is replaced';
    case 'forced':
      return 'as asked; the bytes are those in the cache';
    case 'disabled':
      return 'the cache is off';
    case 'uncacheable':
      return `not cached: ${outcome.uncacheable ?? 'not fully understood'}`;
  }
}

/** Where the files are, seen from the folder `cwd`. */
export function pathLines({ artifacts }: Exclude<Outcome, { outcome: 'failed' }>, cwd: string): readonly string[] {
  return Object.values(artifacts).map(({ path }) => `    ${relative(cwd, path)}`);
}

/** What the check of the wasm found: one line a function. */
export function complexityLines({ canister, complexFunctions = [] }: Exclude<Outcome, { outcome: 'failed' }>) {
  return complexFunctions.map(({ index, name, complexity, instructionCount }) => {
    const which = name === undefined ? `function ${index}` : `function ${index} (${name})`;
    const share = `${((complexity / COMPLEXITY_LIMIT) * 100).toFixed(1)} % of what the network takes`;
    const advice =
      complexity > COMPLEXITY_LIMIT ? 'it will be refused; split it into smaller ones' : 'split it before it grows';
    return `warning: ${canister}: [MOPS-WASM-COMPLEXITY] ${which} has complexity ${complexity}, ${share}, in ${countText(instructionCount, 'instruction')}; ${advice}`;
  });
}

const COMPLEXITY_LIMIT = 1_000_000;

/** An event as a line for people, or undefined where it needs none. `loud`: print it even without --verbose. */
export function eventText(event: BuildEvent): { readonly loud: boolean; readonly text: string } | undefined {
  const loud = (text: string) => ({ loud: true, text });
  const quiet = (text: string) => ({ loud: false, text });
  switch (event.kind) {
    case 'tier-down':
      return loud(`warning: ${tierText(event.tier)} cannot be used (${troubleText(event)}); building without it`);
    case 'damaged':
      return loud(`warning: damaged in the cache: ${event.what} of ${event.key.slice(0, 12)}; it is made anew`);
    case 'lease-wait':
      return loud(
        `${event.label}: another build ${workText(event.label)} already${holderText(event.holder)}; waiting for it`,
      );
    case 'lease-given-up':
      return loud(`warning: ${event.label}: waited ${durationText(event.waitedMs)} for another build; compiling now`);
    case 'lease-down':
      return loud(
        `warning: cannot tell other builds what this one compiles (${event.code ?? event.message}); going on alone`,
      );
    case 'managed-flag':
      return loud(`warning: ${event.canister}: ${event.flag} in args: ${managedAdvice(event.flag)}`);
    case 'installing':
      return loud(`installing ${event.what}: ${event.command.join(' ')}`);
    case 'major-conflict':
      return loud(
        [
          `warning: packages ask for different majors of ${event.name}; all get ${event.resolved}`,
          ...event.versions.map(({ version, by }) => `  ${version} is asked for by ${by}`),
          `  to choose another, name ${event.name} in your own mops.toml`,
        ].join('\n'),
      );
    case 'not-analysed':
      return loud(`warning: ${event.canister}: how complex its wasm is could not be checked: ${event.message}`);
    case 'input-changed':
      return loud(`warning: ${event.canister}: ${event.path} changed while it was compiled; the result is not cached`);
    case 'output-wait':
      return loud(`${event.canister}: another build is writing its files; waiting for it`);
    case 'note':
      return loud(event.canister === undefined ? event.text : `${event.canister}: ${event.text}`);
    case 'compiling':
    case 'optimizing':
      return quiet(`${event.canister}: ${event.command.map(shellWord).join(' ')}`);
    case 'migrations-chosen':
      return quiet(`${event.canister}: ${countText(event.count, 'migration')} of ${event.of}`);
    case 'deploy-checking':
      return quiet(`checking the deploy of ${event.canisters.join(', ')}`);
    case 'canister-started':
    case 'compiled':
    case 'optimized':
    case 'deploy-said': // as it is, and to where it was said
      return undefined;
  }
}

/** What a tier was doing, what the system said, and where, if it said that. */
function troubleText({ tier, doing, code, message }: Extract<BuildEvent, { kind: 'tier-down' }>): string {
  const prefix = `${tier}: ${doing}: `;
  const bare = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  if (code === undefined) return bare;
  const place = /'([^']+)'/.exec(bare)?.[1];
  return `${doing}: ${code}${place === undefined ? '' : `, ${place}`}`;
}

function tierText(tier: string): string {
  return tier === 'local' ? 'the cache' : `the cache at ${tier}`;
}

/** What is waited for is a canister, or (install.ts) an install. */
function workText(label: string): string {
  return label.startsWith('installing ') ? 'does so' : 'compiles it';
}

function holderText(holder: { pid: number; host: string; sinceMs: number } | undefined): string {
  if (holder === undefined) return '';
  return ` (process ${holder.pid} on ${holder.host}, since ${new Date(holder.sinceMs).toLocaleTimeString()})`;
}

function managedAdvice(flag: string): string {
  if (flag === '-o') return 'the output has its own setting, [build] outputDir or --output';
  if (flag === '--public-metadata') return 'mops build decides this itself';
  return 'mops build always sets it';
}

/** Milliseconds for people. Rounded before the unit is chosen, so that nothing reads as `1000 ms` or `60.0 s`. */
export function durationText(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (Math.round(ms / 100) < 600) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `3 canisters`, `1 canister`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** The first word of a warning in a colour of its own. */
export function colourWarning(text: string, paint: Paint): string {
  return text.startsWith('warning:') ? paint.yellow('warning:') + text.slice('warning:'.length) : text;
}

function warningsIn(diagnostics: string): number {
  return (diagnostics.match(/: warning \[M\d+\]/g) ?? []).length;
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
