import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../src/build/outcome.ts';
import { openCache, type Cache } from '../../src/cache/cache.ts';
import { digestOf } from '../../src/cache/digest.ts';
import { fillGlobalCache, type Checkout } from './project-checkout.ts';
import { UPSTREAM, type Tools } from './project-tools.ts';

export interface RunOptions {
  /** Arguments after `build`. */
  readonly args?: readonly string[];
  /** Where the user stands; default: the project's root. Absolute. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A program that starts ours, with its arguments. */
  readonly under?: readonly string[];
}

/** A build of ours that succeeded. */
export interface Built {
  /** As `--json` tells them, in the order of mops.toml. */
  readonly canisters: readonly BuiltCanister[];
  /** What the default output directory holds. */
  readonly outputs: Outputs;
}

export type BuiltCanister = Exclude<Outcome, { readonly outcome: 'failed' }>;

/** Names of files to their SHA-256. */
export type Outputs = Readonly<Record<string, string>>;

/** Runs our `mops build --json`. Throws an Error with what was said where it fails. */
export async function buildOurs(tools: Tools, checkout: Checkout, options: RunOptions = {}): Promise<Built> {
  const run = await runNode(['build', '--json', ...(options.args ?? [])], tools.mops, checkout, options);
  const { canisters } = JSON.parse(run.stdout) as { readonly canisters: readonly BuiltCanister[] };
  return { canisters, outputs: outputsOf(checkout) };
}

/** Runs the real `ic-mops build` in the project's root. Throws an Error with what was said where it fails. */
export async function buildUpstream(checkout: Checkout, args: readonly string[] = []): Promise<Outputs> {
  fillGlobalCache(checkout);
  await runNode(['build', ...args], UPSTREAM, checkout, {});
  return outputsOf(checkout);
}

/** The checkout's cache, to look into. */
export function cacheOf({ environment }: Checkout): Cache {
  return openCache({ dir: environment.MOCCACHE_DIR ?? '', mode: 'read-only', leaseWaitMs: 0 });
}

/** The files in a project's default output directory; not the markers of locks. */
function outputsOf({ root }: Checkout): Outputs {
  const dir = join(root, '.mops/.build');
  if (!existsSync(dir)) return {};
  const names = readdirSync(dir).filter((name) => !name.startsWith('.'));
  return Object.fromEntries(names.sort().map((name) => [name, digestOf(readFileSync(join(dir, name)))]));
}

function runNode(
  args: readonly string[],
  script: string,
  { root, environment }: Checkout,
  { cwd = root, environment: more, under = [] }: RunOptions,
): Promise<{ readonly stdout: string }> {
  const [program = '', ...rest] = [...under, process.execPath, script, ...args];
  return new Promise((done, fail) => {
    const child = spawn(program, rest, { cwd, env: { ...environment, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done({ stdout });
      else
        fail(new Error(`${script} ${args.join(' ')} in ${cwd} ended with ${code ?? 'a signal'}:\n${stdout}${stderr}`));
    });
  });
}
