import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { MOPS, scene, sha256, tomlOf, type Ended, type Scene } from './rigs/stand-in-project.ts';

/** The deploy tool and its post-processor, as their makers publish them; each starts `mops build NAME` for every canister at once. */
const CLIENTS = ['@icp-sdk/icp-cli-linux-x64@1.5.0', '@icp-sdk/ic-wasm-linux-x64@0.11.1'];

const folder = mkdtempSync(join(tmpdir(), 'moccache-clients-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refusal = await install();
if (refusal !== undefined) console.log(`skipped: ${CLIENTS.join(' and ')} cannot be installed: ${refusal}`);

describe.skipIf(refusal !== undefined)('icp build of three canisters', () => {
  test('cold compiles each once, warm none, with the same artifacts', async () => {
    const at = project();
    await succeed(icp(at));
    const artifacts = artifactsOf(at);
    expect(new Set(Object.values(artifacts)).size).toBe(NAMES.length);
    expect(artifacts.alpha).toBe(at.files()['alpha.wasm']);
    expect(at.starts()).toHaveLength(NAMES.length);

    await succeed(icp(at));
    expect(artifactsOf(at)).toEqual(artifacts);
    expect(at.starts()).toHaveLength(NAMES.length);
    expect(at.litter()).toEqual([]);
  });

  test('two at once, cold, compile each once', async () => {
    const at = project();
    await Promise.all([succeed(icp(at)), succeed(icp(at))]);
    expect(at.starts()).toHaveLength(NAMES.length);
    expect(Object.keys(artifactsOf(at))).toEqual(NAMES);
  });

  test('what ic-wasm does to the result in place stays out of the cache', async () => {
    const at = project();
    await succeed(at.mops(['build']));
    const pristine = at.files();
    await succeed(icp(at));
    const changed = at.files();
    expect(changed['beta.wasm'], 'processed in the output folder').not.toBe(pristine['beta.wasm']);
    expect(changed['gamma.wasm'], 'processed in a copy').toBe(pristine['gamma.wasm']);
    expect(artifactsOf(at).gamma).not.toBe(pristine['gamma.wasm']);

    await succeed(icp(at));
    expect(at.files()).toEqual(changed);
    await succeed(at.mops(['build']));
    expect(at.files()).toEqual(pristine);
    expect(at.starts()).toHaveLength(NAMES.length);
  });

  test('a program that the compiler rejects fails it, with what the compiler said', async () => {
    const at = project();
    at.put({ 'src/beta.mo': '// stand-in: exit 1\nactor { }\n' });
    const end = await icp(at);
    expect(end.code).not.toBe(0);
    expect(end.stdout + end.stderr).toContain('src/beta.mo:1.1');
  });
});

const NAMES = ['alpha', 'beta', 'gamma'];

/** `alpha` is copied as it is, `beta` processed in the output folder, `gamma` by a recipe that processes a copy. */
const ICP_YAML = `
canisters:
  - name: alpha
    build:
      steps:
        - type: script
          commands:
            - mops build alpha
            - cp .mops/.build/alpha.wasm "$ICP_WASM_OUTPUT_PATH"
  - name: beta
    build:
      steps:
        - type: script
          commands:
            - mops build beta
            - ic-wasm .mops/.build/beta.wasm -o .mops/.build/beta.wasm metadata built:by -d script -v public
            - cp .mops/.build/beta.wasm "$ICP_WASM_OUTPUT_PATH"
  - name: gamma
    recipe:
      type: file://recipe.hbs
      configuration:
        shrink: true
`;

const RECIPE = `
build:
  steps:
    - type: script
      commands:
        - mops build "{{_.canister.name}}" --output .mops/.build
        - cp ".mops/.build/{{_.canister.name}}.wasm" "$ICP_WASM_OUTPUT_PATH"
        - ic-wasm "$ICP_WASM_OUTPUT_PATH" -o "$ICP_WASM_OUTPUT_PATH" metadata template:type -d motoko -v public
        {{#if shrink}}
        - ic-wasm "$ICP_WASM_OUTPUT_PATH" -o "$ICP_WASM_OUTPUT_PATH" shrink
        {{/if}}
`;

function project(): Scene {
  const at = scene({
    'mops.toml': tomlOf(Object.fromEntries(NAMES.map((name) => [name, `src/${name}.mo`]))),
    ...Object.fromEntries(NAMES.map((name) => [`src/${name}.mo`, `actor { /* ${name} */ }\n`])),
    'icp.yaml': ICP_YAML,
    'recipe.hbs': RECIPE,
  });
  mkdirSync(join(at.base, 'bin'));
  writeFileSync(join(at.base, 'bin/mops'), `#!/bin/sh\nexec "${process.execPath}" "${MOPS}" "$@"\n`, { mode: 0o755 });
  return at;
}

function icp(at: Scene): Promise<Ended> {
  const bin = (name: string) => join(folder, 'node_modules/@icp-sdk', name, 'bin');
  const PATH = [join(at.base, 'bin'), bin('ic-wasm-linux-x64'), process.env.PATH].join(delimiter);
  const command = [join(bin('icp-cli-linux-x64'), 'icp')];
  return at.start(['build'], { command, env: { PATH, DO_NOT_TRACK: '1' } }).ended;
}

/** What icp keeps to install, as SHA-256 by canister. */
function artifactsOf(at: Scene): Readonly<Record<string, string>> {
  const kept = (name: string) => readFileSync(join(at.root, '.icp/cache/artifacts', name));
  return Object.fromEntries(NAMES.map((name) => [name, sha256(kept(name))]));
}

async function succeed(running: Promise<Ended>): Promise<void> {
  const end = await running;
  expect(end.code, end.stdout + end.stderr).toBe(0);
}

/** Why they cannot be installed; undefined where they are. */
function install(): Promise<string | undefined> {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const args = ['install', '--no-audit', '--no-fund', '--no-update-notifier', '--fetch-retries=0', ...CLIENTS];
  const env = { ...process.env, npm_config_cache: join(folder, 'npm') };
  return new Promise((done) => {
    execFile('npm', args, { cwd: folder, env, timeout: 120_000 }, (error, _, stderr) => {
      if (error === null) done(undefined);
      else done(stderr.split('\n').find((line) => line.includes('error')) ?? error.message);
    });
  });
}
