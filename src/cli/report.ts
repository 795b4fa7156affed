import type { BuildEvent, Failure, Outcome } from '../build/outcome.ts';

/** Colours, or none: functions so that the terminal's abilities are decided once, elsewhere. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
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
  if (outcome.stage === 'finish') {
    return `${paint.yellow('finished')}: ${took}, ${saves} (only what follows the compiler had changed)`;
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

/** A failure as lines for people: the thing, the place, the next step. */
export function failureText(failure: Failure): string {
  switch (failure.kind) {
    case 'no-project':
      return `no mops.toml in ${failure.from} or a folder above it\nrun this in a project, or start one with: mops init`;
    case 'bad-toml':
      // Without a line it is the file as a whole that cannot be had.
      return `${at(failure.file, failure.line)}: ${failure.line === undefined ? '' : 'not valid TOML: '}${failure.message}`;
    case 'bad-config':
      return `${at(failure.file, failure.line)}: ${failure.key} must be ${failure.expected}`;
    case 'no-canisters':
      return `${failure.file}: no canister to build\nadd one, for example:\n\n  [canisters]\n  backend = "src/main.mo"`;
    case 'unknown-canister':
      return `mops.toml has no canister ${failure.names.map(quoted).join(', ')}\nit has: ${failure.known.join(', ')}`;
    case 'bad-canister-name':
      return `${failure.file}: ${quoted(failure.name)} cannot be a canister's name, because files are named after it\nuse a name without slashes that does not begin with a dot`;
    case 'no-main':
      return `${failure.file}: canister ${failure.canister} has no main\nadd to [canisters.${failure.canister}]: main = "src/main.mo"`;
    case 'main-missing':
      return `${failure.path}: no such file; it is the main of canister ${failure.canister}\ncorrect main in mops.toml, or create the file`;
    case 'no-toolchain':
      return [
        `${failure.file}: no compiler is pinned`,
        'pin a release:    mops toolchain use moc <version>',
        'or an executable: [toolchain] moc = "./node_modules/.bin/moc-js"',
      ].join('\n');
    case 'compiler-missing':
      return `${failure.path}: no compiler to be had here, where [toolchain] moc = ${quoted(failure.pin)} looks for it\n${failure.detail}\ncorrect the pin in mops.toml, or pin a release: mops toolchain use moc <version>`;
    case 'compiler-unusable':
      return `${failure.path}: cannot be run as the compiler (${failure.code})\n${failure.detail}\ncorrect [toolchain] moc in mops.toml, or repair what it names`;
    case 'compiler-killed':
      return `${saidText(failure)}the compiler of ${failure.canister} was killed by ${failure.signal}\nit may have run out of memory; try --jobs 1`;
    case 'rejected':
      return rejectedText(failure);
    case 'no-output':
      return `${saidText(failure)}the compiler exited with code 0 but wrote no ${failure.artifact} for ${failure.canister}\nits output may have been too large, or the pinned moc is not a compiler`;
    case 'bad-wasm':
      return `the wasm that the compiler wrote for ${failure.canister} is not valid: ${failure.message}\ncheck the pinned moc: it may be broken`;
    case 'package-missing':
      return `package ${failure.name} (${failure.id}) is not installed in ${failure.dir}\n${failure.detail}\ninstall it with: mops install`;
    case 'bad-lock':
      return `${failure.file}: ${failure.defect}\n--locked builds from a lock file that fits; make one with: mops install`;
    case 'candid-missing':
      return `${failure.path}: no such file; it is the candid of canister ${failure.canister}\ncorrect candid in mops.toml, or create the file`;
    case 'candid-incompatible':
      if (!failure.isCandid)
        return `${failure.path}: not a Candid file that describes a service; it is the candid of canister ${failure.canister}\ncorrect the file, or candid in mops.toml`;
      return `${failure.canister} does not offer what ${failure.path} promises\nchange the program or the Candid file until they are compatible`;
    case 'no-ic-mops':
      return `ic-mops is needed for ${failure.needed}\ninstall it beside moccache: npm install --save-dev ic-mops`;
    case 'no-scratch':
      return `${failure.path}: the compiler cannot be given a folder to work in here (${problemText(failure.code)})\nset TMPDIR, or MOCCACHE_DIR, to a folder that can be written to`;
    case 'output-unwritable':
      return `${failure.path}: cannot be written (${problemText(failure.code)})\nchoose another place with --output, or make this one writable`;
    case 'output-busy':
      return `${failure.path}: another build keeps writing these files\nlet it end, or build elsewhere with --output`;
    case 'unsupported':
      return `${failure.what} is not supported yet\n${failure.instead}`;
    case 'rebuild-differs':
      return `${failure.canister}: compiling again gave another ${failure.artifact}: byte ${failure.offset} differs, in the ${failure.section}\nthe compiler is not deterministic, or what was stored under ${failure.key.slice(0, 12)} was wrong`;
    case 'cancelled':
      return 'cancelled';
  }
}

function rejectedText(failure: Extract<Failure, { kind: 'rejected' }>): string {
  return `${saidText(failure)}moc rejects ${failure.canister} (exit code ${failure.exitCode})`;
}

/** How a failure's text begins: with what the compiler said, and where imports lead nowhere. In whole lines, or empty. */
export function saidText(failure: Failure): string {
  switch (failure.kind) {
    case 'rejected': {
      const said = [failure.stderr, failure.stdout].map((text) => text.trimEnd()).filter((text) => text !== '');
      const places = failure.missing.map(
        ({ importer, line, target }) => `${importer}:${line}: no file for "${target}"`,
      );
      return [...said, ...places].map((lines) => `${lines}\n`).join('');
    }
    case 'compiler-killed':
    case 'no-output': {
      const said = failure.diagnostics.trimEnd();
      return said === '' ? '' : `${said}\n`;
    }
    default:
      return '';
  }
}

/** A system's code with what it means for files that are to be written. */
function problemText(code: string): string {
  const meaning = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
  return meaning === undefined ? code : `${meaning}, ${code}`;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'it cannot be written to at all',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EEXIST: 'a file is in the way',
  ENOTDIR: 'a file is in the way',
  EISDIR: 'a folder is in the way',
  ENAMETOOLONG: 'the name is too long',
};

/** An event as a line for people, or undefined where it needs none. `loud`: print it even without --verbose. */
export function eventText(event: BuildEvent): { readonly loud: boolean; readonly text: string } | undefined {
  const loud = (text: string) => ({ loud: true, text });
  const quiet = (text: string) => ({ loud: false, text });
  switch (event.kind) {
    case 'tier-down':
      return loud(`warning: ${tierText(event.tier)} cannot be used (${troubleText(event)}); building without it`);
    case 'damaged':
      return loud(`warning: damaged: ${event.what}; compiling instead`);
    case 'lease-wait':
      return loud(`${event.label}: another build compiles it already${holderText(event.holder)}; waiting for it`);
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
    case 'input-changed':
      return loud(`warning: ${event.canister}: ${event.path} changed while it was compiled; the result is not cached`);
    case 'output-wait':
      return loud(`${event.canister}: another build is writing its files; waiting for it`);
    case 'note':
      return loud(event.canister === undefined ? event.text : `${event.canister}: ${event.text}`);
    case 'compiling':
      return quiet(`${event.canister}: ${event.command.map(shellWord).join(' ')}`);
    case 'canister-started':
    case 'compiled':
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

function warningsIn(diagnostics: string): number {
  return (diagnostics.match(/: warning \[M\d+\]/g) ?? []).length;
}

function at(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
