import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { putDeployChecker } from './rigs/stand-in-ic-mops.ts';
import { scene, sha256, tomlOf, until, type Scene } from './rigs/stand-in-project.ts';

const ASKS = '[build]\ncheck-deploy = true\n';

interface Install {
  readonly name: string;
  /** Of the wasm. */
  readonly digest: string;
  readonly told: unknown;
}

interface PocketIc {
  readonly url: string;
  readonly installs: readonly Install[];
}

/** A server that takes the place of PocketIC. It answers each install as it is told to; else it takes all. */
async function pocketIc(answer = (_: string, response: ServerResponse) => void response.end()): Promise<PocketIc> {
  const installs: Install[] = [];
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const told: unknown = JSON.parse(decodeURIComponent(String(request.headers.told)));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      installs.push({ name, digest: sha256(Buffer.concat(chunks)), told });
      answer(name, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, installs };
}

function checking(mopsToml: string, files: Readonly<Record<string, string>> = {}): Scene {
  const on = scene({ 'mops.toml': mopsToml, 'src/B.mo': 'actor { }\n', ...files });
  putDeployChecker(on);
  return on;
}

const TWO = { a: 'src/A.mo', b: 'src/B.mo' };

test('every build that asks for it installs the finished files on PocketIC; nothing is remembered', async () => {
  const { url, installs } = await pocketIc();
  const on = checking(tomlOf(TWO, ASKS));
  const build = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await on.mops(['build', ...args], { env: { MOPS_POCKET_IC_URL: url } });
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const built = 'build canister a\nbuild canister b\n';
  const end = '\n✓ Built 2 canisters successfully\n';
  const asked = `${built}check deploy canister a\ncheck deploy canister b\n${end}`;
  expect(await build()).toBe(asked);
  for (let again = 1; again <= 2; again += 1) expect(await build()).toBe(asked);
  for (let again = 1; again <= 2; again += 1) expect(await build('--no-check-deploy')).toBe(built + end);
  expect(await build()).toBe(asked);
  const files = on.files();
  expect(installs.map(({ name }) => name).join('')).toBe('abababab');
  for (const { name, digest } of installs) expect(digest).toBe(files[`${name}.wasm`]);
  expect(on.starts()).toHaveLength(2);
});

test('only the canisters that are asked for are installed, with what mops.toml says of them', async () => {
  const { url, installs } = await pocketIc();
  const more = '[canisters.c]\nmain = "src/B.mo"\ninitArg = \'(7)\'\nwasmMemoryLimit = 1000\n';
  const on = checking(tomlOf(TWO, more));
  const args = ['build', '--verbose', '--check-deploy', 'c', '-o', 'out'];
  const { code, stderr } = await on.mops(args, { env: { MOPS_POCKET_IC_URL: url }, cwd: join(on.root, 'src') });
  expect(code, stderr).toBe(0);
  const did = readFileSync(join(on.root, 'src/out/c.did'), 'utf8');
  const told = { arg: `(7) for ${did}`, limit: 1000, verbose: true, mocPath: join(on.root, 'moc'), cwd: on.root };
  expect(installs).toEqual([{ name: 'c', digest: on.files(join(on.root, 'src/out'))['c.wasm'], told }]);
});

test('what PocketIC refuses fails the build and leaves its files; the next build asks again, and compiles nothing', async () => {
  let refuses = true;
  const { url, installs } = await pocketIc((name, response) => {
    if (refuses && name === 'a') response.writeHead(400).end('Error code: CanisterCalledTrap');
    else response.end();
  });
  const on = checking(tomlOf(TWO, ASKS));
  const env = { MOPS_POCKET_IC_URL: url };
  const { code, stdout, stderr } = await on.mops(['build'], { env });
  expect(code).toBe(1);
  expect(stdout).toBe('build canister a\nbuild canister b\ncheck deploy canister a\ncheck deploy canister b\n');
  expect(stderr).toContain(
    "error: ic-mops's check of the deploy does not pass\nPocketIC deployment check failed\nCanister: a\nError code: CanisterCalledTrap\n",
  );
  expect(stderr).toContain('--no-check-deploy');
  expect(Object.keys(on.files())).toEqual(expect.arrayContaining(['a.wasm', 'b.wasm']));

  const json = await on.mops(['build', '--json'], { env });
  expect(json).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: false,
    canisters: [{ outcome: 'hit' }, { outcome: 'hit' }],
    events: [
      { kind: 'deploy-said', stream: 'stdout', line: 'check deploy canister a' },
      { kind: 'deploy-said', stream: 'stdout', line: 'check deploy canister b' },
    ],
    failure: { kind: 'deploy-refused' },
  });
  refuses = false;
  expect((await on.mops(['build'], { env })).code).toBe(0);
  expect(installs).toHaveLength(6);
  expect(on.starts()).toHaveLength(2);
});

test('a canister that the check leaves out is told of, and the others are installed', async () => {
  const { url, installs } = await pocketIc();
  const on = checking(tomlOf({ grown: 'src/A.mo', b: 'src/B.mo' }, ASKS));
  for (let round = 1; round <= 2; round += 1) {
    const { code, stderr } = await on.mops(['build'], { env: { MOPS_POCKET_IC_URL: url } });
    expect(code).toBe(0);
    expect(stderr).toContain('Warning [MOPS-CHECK-DEPLOY-SKIPPED]:\nCanister: grown\n');
  }
  expect(installs.map(({ name }) => name)).toEqual(['b', 'b']);
});

test.each([
  ['(odd)', 'Invalid initArg for canister c: told that the argument is odd'],
  ['(exit 0)', 'it ended with exit code 0'],
])('a check that comes to no verdict on %s has not passed', async (initArg, says) => {
  const { url, installs } = await pocketIc();
  const on = checking(tomlOf({}, `[canisters.c]\nmain = "src/A.mo"\ninitArg = '${initArg}'\n${ASKS}`));
  const { code, stderr } = await on.mops(['build'], { env: { MOPS_POCKET_IC_URL: url } });
  expect(code).toBe(1);
  expect(stderr).toContain(`error: ic-mops's check of the deploy does not pass\n${says}\n`);
  expect(installs).toEqual([]);
});

test('where a canister fails, nothing is installed', async () => {
  const { url, installs } = await pocketIc();
  const on = checking(tomlOf(TWO, ASKS), { 'src/B.mo': '// stand-in: exit 3\n' });
  const { code } = await on.mops(['build', '--keep-going'], { env: { MOPS_POCKET_IC_URL: url } });
  expect(code).toBe(3);
  expect(installs).toEqual([]);
});

test.each(['./pocket-ic', '15.0.0'])('the pinned PocketIC %s is used, from where mops keeps it', async (pin) => {
  const on = checking(tomlOf(TWO, ASKS).replace('moc =', `pocket-ic = "${pin}"\nmoc =`));
  const path = pin.startsWith('.') ? pin : `../cache/mops/pocket-ic/${pin}/pocket-ic`;
  const script = (code: number) => ({ [path]: `#!/bin/sh\necho "not $1" >&2\nexit ${code}\n` });
  on.put(script(0));
  chmodSync(join(on.root, path), 0o755);
  expect(await on.mops(['build'])).toMatchObject({ code: 0 });
  on.put(script(1));
  const { code, stderr } = await on.mops(['build']);
  expect(code).toBe(1);
  expect(stderr).toContain(`Canister: b\nnot ${on.out}/b.wasm\n`);
});

const pinned = (pin: string) => tomlOf({ a: 'src/A.mo' }, ASKS).replace('moc =', `pocket-ic = "${pin}"\nmoc =`);

interface Impossible {
  readonly what: string;
  readonly toml: string;
  readonly url?: string;
  /** ROOT stands for the project's folder. */
  readonly says: string;
}

test.each<Impossible>([
  {
    what: 'a URL of another kind',
    toml: pinned('15.0.0'),
    url: 'ftp://localhost',
    says: 'MOPS_POCKET_IC_URL is "ftp://localhost", which is not an http or https URL\n',
  },
  { what: 'what is no URL', toml: pinned('15.0.0'), url: 'here', says: 'MOPS_POCKET_IC_URL is "here"' },
  {
    what: 'neither a pin nor a URL',
    toml: tomlOf({ a: 'src/A.mo' }, ASKS),
    url: ' ',
    says: 'ROOT/mops.toml: [build] check-deploy needs pocket-ic, and none is pinned\n',
  },
  ...['8.9.9', 'latest'].map((pin) => ({
    what: `a pin ${pin}`,
    toml: pinned(pin),
    says: 'ROOT/mops.toml: toolchain.pocket-ic must be a version from 9.0.0 on, or a path',
  })),
  { what: 'a path to nothing', toml: pinned('./p'), says: 'ROOT/p: no pocket-ic to be had here' },
  {
    what: 'a version that ic-mops does not fetch',
    toml: pinned('15.0.0'),
    says: 'cache/mops/pocket-ic/15.0.0/pocket-ic: no pocket-ic to be had here',
  },
])('$what is told of before anything is compiled', async ({ toml, url, says }) => {
  const on = checking(toml);
  const { code, stderr } = await on.mops(['build'], { env: { MOPS_POCKET_IC_URL: url } });
  expect(code).toBe(1);
  expect(stderr.replaceAll(on.root, 'ROOT')).toContain(says);
  expect(on.starts()).toEqual([]);
});

test('beside an ic-mops that cannot check deploys the build fails before anything is compiled', async () => {
  const on = scene();
  const { code, stderr } = await on.mops(['build', '--check-deploy']);
  expect(code).toBe(1);
  expect(stderr).toContain(
    'error: ic-mops 2.9.0 cannot check deploys, as --check-deploy asks for; ic-mops 3 and later can\n',
  );
  expect(on.starts()).toEqual([]);
  expect(await on.mops(['build', '--no-check-deploy'])).toMatchObject({ code: 0 });
});

test('a build that is stopped while it checks stops the check', async () => {
  const held: ServerResponse[] = [];
  const { url, installs } = await pocketIc((_, response) => void held.push(response));
  const on = checking(tomlOf({ a: 'src/A.mo' }, ASKS));
  const running = on.start(['build'], { env: { MOPS_POCKET_IC_URL: url } });
  await until(() => installs.length === 1, running);
  const gone = Promise.all(held.map((response) => once(response, 'close')));
  running.child.kill('SIGTERM');
  expect((await running.ended).code).toBe(143);
  await gone;
});
