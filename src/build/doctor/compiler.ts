import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../cache/doctor/finding.ts';
import { makeDir } from '../../cache/make-dir.ts';
import { nameOfOurs } from '../../cache/process.ts';
import type { Compiler } from '../compiler.ts';
import { firstDifference } from '../difference.ts';
import { mocCommandOf } from '../moc-args.ts';
import type { ArtifactName } from '../outcome.ts';
import { collectArtifacts } from '../sandbox.ts';

export interface TrialOptions {
  /** Where the compiler may run; removed after. */
  readonly scratchDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compiles a tiny program twice, each in a fresh process and folder, and compares. Throws a BuildError where the compiler
 * cannot be started.
 */
export async function tryCompiler(compiler: Compiler, options: TrialOptions): Promise<Finding> {
  const check = 'deterministic';
  const base = join(options.scratchDir, nameOfOurs());
  makeDir(base);
  try {
    const compileIn = (name: string, program: string) => compileTiny(compiler, join(base, name), program, options);
    let program = NEW_PROGRAM;
    let one = await compileIn('1', program);
    if (typeof one === 'string') {
      const old = await compileIn('old', OLD_PROGRAM);
      if (typeof old !== 'string') [program, one] = [OLD_PROGRAM, old];
    }
    const two = await compileIn('2', program);
    for (const ended of [one, two]) {
      if (typeof ended !== 'string') continue;
      const says = `the compiler does not compile a tiny program: ${ended}`;
      return { check, state: 'wrong', says, advice: `run it by hand: ${compiler.path} --version` };
    }
    if (typeof one === 'string' || typeof two === 'string') throw new Error('one of them ended badly');
    const name = NAMES.find((name) => Buffer.compare(one[name] ?? NOTHING, two[name] ?? NOTHING) !== 0);
    if (name === undefined) return { check, state: 'ok', says: 'a tiny program compiled twice gives the same bytes' };
    const { offset, section } = firstDifference(one[name] ?? NOTHING, two[name] ?? NOTHING);
    const says = `a tiny program compiled twice gives another ${name}: byte ${offset} differs, in its ${section}`;
    const advice = 'pin another compiler; with this one a cached build is one of many that are possible';
    return { check, state: 'wrong', says, advice };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

const NAMES: readonly ArtifactName[] = ['wasm', 'did', 'most'];
const NOTHING = new Uint8Array();

/** They need no package. Compilers since 1.0 insist on `persistent`; those before 0.13.5 do not know the word. */
const OLD_PROGRAM = 'actor { public query func greet(name : Text) : async Text { "Hello, " # name } }\n';
const NEW_PROGRAM = `persistent ${OLD_PROGRAM}`;

async function compileTiny(
  compiler: Compiler,
  dir: string,
  program: string,
  { environment, signal }: TrialOptions,
): Promise<Partial<Record<ArtifactName, Uint8Array>> | string> {
  const out = `${dir}-out`;
  for (const made of [dir, out]) mkdirSync(made);
  writeFileSync(join(dir, 'Tiny.mo'), program);
  const args = mocCommandOf({ main: 'Tiny.mo', packages: [], flags: [], output: join(out, 'tiny.wasm') });
  const end = await compiler.compile({ cwd: dir, args, environment, signal });
  const said = Buffer.concat([end.stderr, end.stdout]).toString('utf8').trim().split('\n')[0] ?? '';
  if (end.exitCode !== 0)
    return `${end.killedBy ?? `exit code ${end.exitCode ?? 1}`}${said === '' ? '' : ` (${said})`}`;
  const made = collectArtifacts(out, 'tiny', NAMES);
  return made.wasm === undefined ? 'it ends well, and writes no wasm' : made;
}
