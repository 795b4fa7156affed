import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { existsSync, readFileSync } from '../cache/disk.ts';
import { MODULES, PROGRAM, type DeployArtifact, type DeployOrder, type DeployVerdict } from './check-deploy-program.ts';
import { LOOKS_LIKE_PATH } from './dependency.ts';
import type { IcMops } from './ic-mops.ts';
import { BuildError, type BuildEvent } from './outcome.ts';
import { STARTS_GROUPS, stopWith } from './process-group.ts';
import type { Canister, Project } from './project.ts';
import { isVersionFrom } from './versions.ts';

/**
 * Whether what was built can be installed: ic-mops's own check, which installs every canister on a fresh PocketIC. It runs
 * each time it is asked for. Nothing of it is remembered, for what it finds depends on a server that may be any.
 */
export interface DeployCheck {
  /** To be run when all canisters are built and their files are in place. Throws a BuildError: deploy-refused, cancelled. */
  run(how: { readonly verbose: boolean }): Promise<void>;
}

export interface DeployPlan {
  /** The folder of ic-mops's modules. */
  readonly dir: string;
  /** What `[toolchain] pocket-ic` says; undefined where a running PocketIC is used. */
  readonly pin: string | undefined;
}

export interface DeployQuestion {
  readonly project: Project;
  /** What asks for it, as the user has written it. */
  readonly asked: string;
  readonly icMops: IcMops | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * What a check of the deploy takes, looked at before anything is built. Throws a BuildError where it cannot be: no-ic-mops,
 * no-deploy-check, bad-pocket-ic-url, tool-not-pinned, bad-config.
 */
export function planDeployCheck({ project, asked, icMops, environment }: DeployQuestion): DeployPlan {
  if (icMops?.packageDir === undefined || icMops.version === undefined)
    throw new BuildError({ kind: 'no-ic-mops', needed: `${asked}, which is its check` });
  const dir = foldersOf(icMops.packageDir).find(isWhole);
  if (dir === undefined) throw new BuildError({ kind: 'no-deploy-check', asked, version: icMops.version });

  const url = environment.MOPS_POCKET_IC_URL?.trim() ?? '';
  if (url !== '') {
    if (!isHttp(url)) throw new BuildError({ kind: 'bad-pocket-ic-url', url });
    return { dir, pin: undefined };
  }
  const { file, toolchain } = project;
  const pin = toolchain.pocketIc;
  if (pin === undefined) throw new BuildError({ kind: 'tool-not-pinned', file, tool: 'pocket-ic', needed: asked });
  if (!LOOKS_LIKE_PATH.test(pin) && !isVersionFrom(OLDEST, pin)) {
    const expected = `a version from ${OLDEST} on, or a path`;
    throw new BuildError({ kind: 'bad-config', file, key: 'toolchain.pocket-ic', expected });
  }
  return { dir, pin };
}

/** The first PocketIC that ic-mops's check can speak to. */
const OLDEST = '9.0.0';

/** Where the modules lie in the releases of ic-mops. */
function foldersOf(packageDir: string): readonly string[] {
  return [join(packageDir, 'dist'), packageDir];
}

function isWhole(dir: string): boolean {
  return Object.values(MODULES).every((file) => existsSync(join(dir, file)));
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

export interface DeployCheckOptions {
  readonly plan: DeployPlan;
  readonly root: string;
  readonly canisters: readonly Canister[];
  readonly outputDir: string;
  /** The compiler says of each canister whether it can begin with nothing. */
  readonly mocPath: string;
  /** The Node that runs ic-mops. */
  readonly node: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
}

export function openDeployCheck(options: DeployCheckOptions): DeployCheck {
  const { plan, canisters, outputDir, mocPath, onEvent } = options;
  return {
    async run({ verbose }) {
      onEvent?.({ kind: 'deploy-checking', canisters: canisters.map(({ name }) => name) });
      const artifacts = canisters.map((canister) => artifactOf(canister, outputDir));
      const problem = await judge({ dir: plan.dir, artifacts, options: { verbose, mocPath } }, options);
      if (problem !== undefined) throw new BuildError({ kind: 'deploy-refused', detail: problem });
    },
  };
}

function artifactOf({ name, initArg, wasmMemoryLimit }: Canister, outputDir: string): DeployArtifact {
  const path = (extension: string) => join(outputDir, `${name}.${extension}`);
  return {
    name,
    wasmPath: path('wasm'),
    mostPath: path('most'),
    initCandid: readFileSync(path('did'), 'utf8'),
    ...(initArg === undefined ? {} : { initArg }),
    ...(wasmMemoryLimit === undefined ? {} : { wasmMemoryLimit }),
  };
}

/** Runs the check in the project. Answers what is wrong, or nothing; a check that ends without a verdict is no good one. */
function judge(order: DeployOrder, options: DeployCheckOptions): Promise<string | undefined> {
  const { root, node, environment, signal, onEvent } = options;
  return new Promise((done, fail) => {
    // A process group of its own: stopping it must stop the PocketIC that it started.
    const child = spawn(node, ['--input-type=module', '--eval', PROGRAM], {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: STARTS_GROUPS,
    });
    let verdict: DeployVerdict | undefined;
    const settle = stopWith(child, signal);
    for (const stream of ['stdout', 'stderr'] as const) {
      // The types hide that there are none where no file handle was left for them; then the error follows.
      const input = child[stream] as Readable | undefined;
      if (input === undefined) continue;
      createInterface({ input }).on('line', (line) => onEvent?.({ kind: 'deploy-said', stream, line }));
    }
    child.on('message', (message) => (verdict = message as DeployVerdict));
    child.once('error', ({ message }) => {
      settle();
      done(`it could not be run: ${message}`);
    });
    child.once('close', (code, killedBy) => {
      settle();
      if (signal?.aborted === true) fail(new BuildError({ kind: 'cancelled' }));
      else if (verdict !== undefined) done(verdict.problem);
      else done(code === null ? `it was ended by ${killedBy ?? 'a signal'}` : `it ended with exit code ${code}`);
    });
    child.send(order, () => undefined); // a child that is gone already ends without a verdict
  });
}
