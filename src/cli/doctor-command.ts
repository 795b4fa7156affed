import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { tryDisk } from '../cache/doctor/disk.ts';
import type { Finding } from '../cache/doctor/finding.ts';
import { checkClock, checkFolder } from '../cache/doctor/folder.ts';
import { checkFileLocks, checkLeases } from '../cache/doctor/leases.ts';
import { isSystemError } from '../cache/tier.ts';
import { LOOKS_LIKE_PATH } from '../build/dependency.ts';
import { tryCompiler } from '../build/doctor/compiler.ts';
import { checkIcMops } from '../build/doctor/ic-mops.ts';
import { findIcMops } from '../build/ic-mops.ts';
import { findCompiler } from '../build/install.ts';
import { openMoc } from '../build/moc.ts';
import { mopsDirs } from '../build/mops-dirs.ts';
import { BuildError } from '../build/outcome.ts';
import { findProject, readProject, type Project } from '../build/project.ts';
import { failureText } from './failures.ts';
import type { Host } from './host.ts';
import { findUndoneLink } from './link.ts';
import { countText, type Paint } from './report.ts';
import { readSettings, remoteIn, settingsInEffect, type Settings } from './settings.ts';
import { jsonText } from './store-trouble.ts';

/**
 * `mops cache doctor`. Answers the exit code: 1 where something is wrong. Writes nothing but what it tries in folders of
 * its own, which it removes: among the store's temporary files, and in the system's.
 */
export async function doctorCommand({ json }: { readonly json: boolean }, host: Host): Promise<number> {
  const settings = attempt('settings', () => readSettings(host.env, mopsDirs(host), host.cwd));
  const project = attempt('project', () => projectOf(host.cwd));
  const findings = [
    ...('kind' in settings ? storeFindings(settings.value, host) : [settings]),
    ...remoteFindings(host, 'kind' in settings ? remoteIn(mopsDirs(host)) : []),
    checkIcMops(icMopsPlaces(host, 'kind' in project ? project.value : undefined)),
    ...('kind' in project ? await projectFindings(project.value, host) : [project]),
    linkFinding(host),
  ];
  const wrong = findings.filter(({ state }) => state === 'wrong').length;
  if (json) host.out.write(jsonText({ ok: wrong === 0, findings }));
  else
    host.out.write(
      `${findings.map((finding) => lineOf(finding, host.out.paint)).join('')}\n${sumOf(wrong, findings)}\n`,
    );
  return wrong === 0 ? 0 : 1;
}

type Attempted<T> = { readonly kind: 'done'; readonly value: T } | Finding;

function attempt<T>(check: string, work: () => T): Attempted<T> {
  try {
    return { kind: 'done', value: work() };
  } catch (error) {
    return trouble(check, error);
  }
}

function trouble(check: string, error: unknown): Finding {
  if (isSystemError(error)) return { check, state: 'wrong', says: (error as Error).message };
  if (!(error instanceof BuildError) || error.failure.kind === 'cancelled') throw error;
  const [says = '', ...advice] = failureText(error.failure).split('\n');
  return { check, state: 'wrong', says, ...(advice.length === 0 ? {} : { advice: advice.join('; ') }) };
}

function storeFindings(settings: Settings, host: Host): readonly Finding[] {
  const { dir, mode } = settings;
  const inEffect: Finding[] = settingsInEffect(settings, host.env, mopsDirs(host)).map(({ name, value, from }) => ({
    ...{ check: 'settings', state: 'ok' },
    says: `${name} is ${value} (${from})`,
  }));
  if (mode === 'off') {
    const off = { check: 'cache', state: 'note', says: 'the cache is off: every build compiles' } as const;
    return [...inEffect, off];
  }
  const folder = checkFolder(dir, mode === 'read-only');
  const isUsable =
    existsSync(join(dir, 'version')) && folder.every(({ check, state }) => check !== 'cache folder' || state === 'ok');
  if (!isUsable) {
    const says = 'not tried: there is no cache yet that can be used';
    return [...inEffect, ...folder, { check: 'file system', state: 'skipped', says }];
  }
  const disk =
    mode === 'read-only'
      ? {
          findings: [{ check: 'file system', state: 'skipped', says: 'not tried: the cache is only read' } as const],
          diskMs: undefined,
        }
      : tryDisk(dir);
  const clock = checkClock(dir, { oursMs: Date.now(), diskMs: disk.diskMs });
  return [...inEffect, ...folder, ...disk.findings, ...clock, ...checkLeases(dir, Date.now())];
}

function remoteFindings({ env }: Host, remote: readonly string[]): readonly Finding[] {
  const set = [...REMOTE.filter((name) => (env[name] ?? '') !== ''), ...remote];
  if (set.length === 0) return [];
  const says = `${set.join(', ')}: set, but this version has no remote caches; it is not used`;
  return [{ check: 'remote', state: 'note', says }];
}

const REMOTE = [
  'MOCCACHE_REMOTE',
  'MOCCACHE_REMOTE_MODE',
  'MOCCACHE_LOCK',
  'MOCCACHE_TRUSTED_KEYS',
  'MOCCACHE_SIGNING_KEY',
];

function projectOf(cwd: string): Project | undefined {
  const file = findProject(cwd);
  return file === undefined ? undefined : readProject(file);
}

function icMopsPlaces(host: Host, project: Project | undefined): Parameters<typeof checkIcMops>[0] {
  const own = dirname(host.script);
  return { from: [project?.root ?? host.cwd, own], path: host.env.PATH, node: host.node };
}

async function projectFindings(project: Project | undefined, host: Host): Promise<readonly Finding[]> {
  if (project === undefined) {
    const says = `not looked at: no mops.toml in ${host.cwd} or above`;
    return ['compiler', 'output folder'].map((check) => ({ check, state: 'skipped', says }));
  }
  const { root, canisters, build } = project;
  const out = resolve(root, build.outputDir ?? '.mops/.build');
  const markers = canisters.map(({ name }) => join(out, `.${name}.buildlock`));
  return [...(await compilerFindings(project, host)), ...checkFileLocks('output folder', markers, Date.now())];
}

async function compilerFindings(project: Project, host: Host): Promise<readonly Finding[]> {
  const { root, file, toolchain } = project;
  const pin = toolchain.moc;
  try {
    if (pin === undefined) throw new BuildError({ kind: 'no-toolchain', file });
    const environment = host.env;
    const path = await findCompiler({
      ...{ root, environment, pin, icMops: findIcMops(icMopsPlaces(host, project)), signal: host.signal },
      toolchainsDir: mopsDirs(host).toolchains,
      noInstall: 'a build would fetch it first; the doctor installs nothing',
    });
    const version = LOOKS_LIKE_PATH.test(pin) ? undefined : pin;
    const compiler = openMoc({ path, version, stampsDir: undefined, environment });
    const identity = await compiler.identify(host.signal);
    const named = [identity.name, identity.version].filter((part) => part !== '').join(' ');
    const says = `${named} (${identity.digest.slice(0, 12)}), ${path}`;
    return [
      { check: 'compiler', state: 'ok', says },
      await tryCompiler(compiler, { scratchDir: host.tmpDir, environment, signal: host.signal }),
    ];
  } catch (error) {
    return [trouble('compiler', error)];
  }
}

function linkFinding({ cwd }: Host): Finding {
  const undone = findUndoneLink(cwd);
  if (undone === undefined) return { check: 'link', state: 'ok', says: 'no `moccache link` was undone here' };
  const says = `${join(undone, 'mops')} does not start moccache any more`;
  return { check: 'link', state: 'wrong', says, advice: 'moccache link' };
}

function lineOf({ check, state, says, advice }: Finding, paint: Paint): string {
  const mark = {
    ok: paint.green('ok     '),
    note: paint.yellow('note   '),
    wrong: paint.red('wrong  '),
    skipped: paint.dim('skipped'),
  };
  const what = advice === undefined ? '' : `\n${' '.repeat(24)}to do: ${advice}`;
  return `${mark[state]}  ${check.padEnd(13)}  ${says}${what}\n`;
}

function sumOf(wrong: number, findings: readonly Finding[]): string {
  if (wrong > 0) return `${countText(wrong, 'thing')} wrong`;
  const notes = findings.filter(({ state }) => state === 'note').length;
  return notes === 0 ? 'nothing is wrong' : `nothing is wrong; ${countText(notes, 'note')}`;
}
