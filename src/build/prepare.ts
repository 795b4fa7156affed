import { dirname, resolve } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import type { DeployCheck, DeployCheckOptions, DeployPlan } from './check-deploy.ts';
import type { BuildOptions } from './context.ts';
import { LOOKS_LIKE_PATH } from './dependency.ts';
import { openFinisher, type Finisher } from './finish.ts';
import { findIcMops, type IcMops } from './ic-mops.ts';
import { findCompiler, findTool, installMissing, type InstallOptions, type Resolve } from './install.ts';
import { NO_LOCK } from './lockfile.ts';
import { openMoc } from './moc.ts';
import type { MopsDirs } from './mops-dirs.ts';
import { BuildError, type BuildEvent } from './outcome.ts';
import type { Optimizer } from './optimizer.ts';
import { resolvePackages, type Resolution } from './packages.ts';
import { readProjectAround, type Canister, type Project } from './project.ts';

/** What was asked for, before anything is read. Paths are absolute. */
export interface BuildRequest {
  /** Where the user stands: the project is the nearest mops.toml from here upwards. */
  readonly cwd: string;
  /** The user's environment: for the compiler and for ic-mops. */
  readonly env: Readonly<Record<string, string>>;
  readonly dirs: MopsDirs;
  readonly cache: Cache;
  /** Names; none: all. */
  readonly canisters: readonly string[];
  /** Undefined: what mops.toml says, else `.mops/.build`. */
  readonly outputDir: string | undefined;
  /** Whether `[optimize]` counts. */
  readonly optimize: boolean;
  readonly locked: boolean;
  readonly checkWasm: boolean | undefined;
  readonly checkDeploy: boolean | undefined;
  /** A file of ours: ic-mops is looked for from the project, then from here. */
  readonly script: string;
  /** The Node that runs ic-mops. */
  readonly node: string;
  /** Where given, what is not installed is missing, for this reason. */
  readonly noInstall?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
}

export type Prepared = Pick<
  BuildOptions,
  'project' | 'canisters' | 'outputDir' | 'packages' | 'compiler' | 'finisher' | 'optimizer' | 'checkWasm' | 'cache'
> & {
  /** To be run once all canisters are built; undefined where it is not asked for. */
  readonly deployCheck: DeployCheck | undefined;
};

/**
 * From a folder to all that a build needs: project, canisters, compiler, packages, finisher, optimizer. What is not installed is
 * installed by ic-mops. Throws a BuildError, in upstream's order of checks.
 */
export async function prepareBuild(request: BuildRequest): Promise<Prepared> {
  const { cache, dirs, env, signal, onEvent } = request;
  const project = readProjectAround(request.cwd);
  const { root, file } = project;
  const icMops = findIcMops({ from: [root, dirname(request.script)], path: env.PATH, node: request.node });
  const { noInstall } = request;
  const install = { root, icMops, environment: env, cache, signal, onEvent, noInstall };

  const asked = { globalCacheDir: dirs.cache, mopsEnv: env.MOPS_ENV, locked: request.locked };
  const resolveNow: Resolve = (how) => resolvePackages(project, { ...asked, lookOnly: how === 'look' });
  const found = await resolveNow('look');
  const resolution = await installMissing(found, resolveNow, install);
  for (const conflict of resolution.conflicts) onEvent?.(conflict);
  const lockNote = lockNoteOf(resolution, request.locked && found === resolution);
  if (lockNote !== undefined) onEvent?.({ kind: 'note', text: lockNote });

  if (project.canisters.length === 0) throw new BuildError({ kind: 'no-canisters', file });
  const optimizing = request.optimize ? planOptimizing(project) : undefined;
  const deploying = await planDeploying(project, request, icMops);
  const pin = project.toolchain.moc;
  if (pin === undefined) throw new BuildError({ kind: 'no-toolchain', file });
  const canisters = selectCanisters(project, request.canisters);
  const path = await findCompiler({ ...install, pin, toolchainsDir: dirs.toolchains });

  if (icMops?.packageDir === undefined || icMops.version === undefined) {
    throw new BuildError({ kind: 'no-ic-mops', needed: 'the metadata that a build adds to the wasm' });
  }
  const { stampsDir } = cache;
  const outputDir = request.outputDir ?? resolve(root, project.build.outputDir ?? '.mops/.build');
  const finisher = openFinisher({ packageDir: icMops.packageDir, version: icMops.version }, stampsDir);
  return {
    project,
    canisters,
    outputDir,
    packages: resolution.packages,
    compiler: openMoc({ path, version: LOOKS_LIKE_PATH.test(pin) ? undefined : pin, stampsDir, environment: env }),
    finisher,
    optimizer: optimizing === undefined ? undefined : await prepareOptimizer(optimizing, install, dirs, stampsDir),
    checkWasm: canCheckWasm(project, request, finisher),
    deployCheck:
      deploying === undefined
        ? undefined
        : await prepareDeployCheck(deploying, { canisters, outputDir, mocPath: path }, request, install),
    cache,
  };
}

interface Optimizing {
  readonly optimize: NonNullable<Project['optimize']>;
  readonly pin: string;
}

/** What mops.toml says of optimizing. Undefined where it says nothing; throws where it does not say with what. */
function planOptimizing({ file, optimize, toolchain }: Project): Optimizing | undefined {
  if (optimize === undefined) return undefined;
  if (toolchain.wasmOpt === undefined)
    throw new BuildError({ kind: 'tool-not-pinned', file, tool: 'wasm-opt', needed: '[optimize]' });
  return { optimize, pin: toolchain.wasmOpt };
}

async function prepareOptimizer(
  { optimize, pin }: Optimizing,
  install: InstallOptions,
  dirs: MopsDirs,
  stampsDir: string | undefined,
): Promise<Optimizer> {
  const { openOptimizer } = await import('./optimizer.ts');
  const path = await findTool('wasm-opt', { ...install, pin, toolchainsDir: dirs.toolchains });
  return openOptimizer({
    ...{ optimize, pin, path, stampsDir },
    version: LOOKS_LIKE_PATH.test(pin) ? undefined : pin,
    environment: install.environment,
    root: install.root,
    signal: install.signal,
  });
}

/** What there is to say of mops.lock. `locked`: its hashes were to be compared with the registry's, and were not. */
function lockNoteOf({ source, packages, lockDefect }: Resolution, locked: boolean): string | undefined {
  if (lockDefect !== undefined && lockDefect !== NO_LOCK)
    return `note: mops.lock is not used: ${lockDefect}; renew it with: mops install`;
  const isFromElsewhere = packages.some(({ dir }) => dir.startsWith('.mops/'));
  if (!locked || source !== 'lock' || !isFromElsewhere) return undefined;
  return 'note: mops.lock fits, and what it names is installed; the registry was not asked';
}

/** In mops.toml order, whatever the order of asking. Throws a BuildError: unknown-canister, or one's mistake. */
function selectCanisters(project: Project, names: readonly string[]): readonly Canister[] {
  const known = project.canisters.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new BuildError({ kind: 'unknown-canister', names: unknown, known });
  const selected =
    names.length === 0 ? project.canisters : project.canisters.filter(({ name }) => names.includes(name));
  const mistake = selected.find((canister) => canister.mistake !== undefined)?.mistake;
  if (mistake !== undefined) throw new BuildError(mistake);
  return selected;
}

/** Whether and how the deploy is to be checked. Throws where that is asked for and cannot be: it is never left out in silence. */
async function planDeploying(
  project: Project,
  request: BuildRequest,
  icMops: IcMops | undefined,
): Promise<DeployPlan | undefined> {
  if (!(request.checkDeploy ?? project.build.checkDeploy)) return undefined;
  const { planDeployCheck } = await import('./check-deploy.ts');
  const asked = request.checkDeploy === true ? '--check-deploy' : '[build] check-deploy';
  return planDeployCheck({ project, asked, icMops, environment: request.env });
}

async function prepareDeployCheck(
  plan: DeployPlan,
  built: Pick<DeployCheckOptions, 'canisters' | 'outputDir' | 'mocPath'>,
  { dirs, node }: BuildRequest,
  install: InstallOptions,
): Promise<DeployCheck> {
  const { openDeployCheck } = await import('./check-deploy.ts');
  const { pin } = plan;
  // ic-mops will look in the same place. What is missing is fetched once for all builds, and told of before there is work.
  if (pin !== undefined) await findTool('pocket-ic', { ...install, pin, toolchainsDir: dirs.toolchains });
  return openDeployCheck({ ...install, ...built, plan, node });
}

/** Whether the wasm is to be checked; where the module cannot, it is said, and the build goes on as upstream's does. */
function canCheckWasm(project: Project, request: BuildRequest, finisher: Finisher): boolean {
  if (!(request.checkWasm ?? project.build.checkWasm)) return false;
  if (finisher.canAnalyse()) return true;
  const { name, version } = finisher.identity;
  const text = `note: ${name} ${version} cannot check how complex a wasm is (check-wasm); ${name} 3 and later can`;
  request.onEvent?.({ kind: 'note', text });
  return false;
}
