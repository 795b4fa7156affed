import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Real npm, in a home of its own, with a registry that is a server of this process: nothing comes from the network. */
export interface NpmScene {
  readonly top: string;
  /** A new folder with a package.json. */
  project(manifest?: Readonly<Record<string, unknown>>): string;
  /** Runs npm in `cwd`. */
  npm(cwd: string, ...args: readonly string[]): Promise<Run>;
  /** Runs a program in `cwd`, with the folder's own executables on PATH. */
  run(cwd: string, program: string, ...args: readonly string[]): Promise<Run>;
  /** Offers a package that stands in for a real one: its manifest, and its files by path. */
  publish(manifest: Manifest, files: Readonly<Record<string, string>>): Promise<void>;
  /** Offers the package in a folder, packed by npm as it would be for the world. Answers the paths in it. */
  publishFolder(folder: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly [key: string]: unknown;
}

export async function openNpmScene(): Promise<NpmScene> {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'moccache-npm-')));
  const registry = await openRegistry();
  const home = join(top, 'home');
  mkdirSync(home);
  const run = (cwd: string, program: string, ...args: readonly string[]): Promise<Run> => {
    const path = [join(cwd, 'node_modules', '.bin'), process.env.PATH ?? ''].join(':');
    // Nothing of the npm that may have started the tests: it passes its settings on in variables.
    const env = { PATH: path, HOME: home, XDG_CACHE_HOME: join(top, 'cache'), npm_config_registry: registry.url };
    return new Promise((done) => {
      execFile(program, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
        done({ exitCode: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
      });
    });
  };
  const npm = (cwd: string, ...args: readonly string[]) =>
    run(cwd, 'npm', ...args, '--no-audit', '--no-fund', '--no-update-notifier');
  return {
    top,
    run,
    npm,
    project: (manifest = {}) => {
      const folder = mkdtempSync(join(top, 'project-'));
      writeFileSync(
        join(folder, 'package.json'),
        JSON.stringify({ name: 'someones-project', private: true, ...manifest }),
      );
      return folder;
    },
    publish: async (manifest, files) => {
      const folder = mkdtempSync(join(top, 'package-'));
      for (const [path, text] of Object.entries({ ...files, 'package.json': JSON.stringify(manifest) })) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
        chmodSync(join(folder, path), 0o755);
      }
      await pack(npm, folder, registry);
    },
    publishFolder: (folder) => pack(npm, folder, registry),
    close: async () => {
      await registry.close();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

async function pack(npm: NpmScene['npm'], folder: string, registry: Registry): Promise<readonly string[]> {
  const out = mkdtempSync(join(tmpdir(), 'moccache-pack-'));
  try {
    const { exitCode, stdout, stderr } = await npm(folder, 'pack', '--json', '--pack-destination', out);
    if (exitCode !== 0) throw new Error(stderr);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    for (const tarball of readdirSync(out)) registry.offer(manifest, readFileSync(join(out, tarball)));
    const [packed] = JSON.parse(stdout) as readonly { readonly files: readonly { readonly path: string }[] }[];
    return packed?.files.map(({ path }) => path) ?? [];
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

interface Registry {
  readonly url: string;
  /** From now on this version is there, and the latest. */
  offer(manifest: Manifest, tarball: Buffer): void;
  close(): Promise<void>;
}

/** What npm asks of a registry to install: the versions of a package, and their tarballs. */
async function openRegistry(): Promise<Registry> {
  const versions = new Map<string, Record<string, unknown>>();
  const tarballs = new Map<string, Buffer>();
  let url = '';
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const known = versions.get(path.slice(1));
    if (tarballs.has(path)) response.end(tarballs.get(path));
    else if (known === undefined) response.writeHead(404).end('{}');
    else {
      const document = { name: path.slice(1), 'dist-tags': { latest: Object.keys(known).at(-1) }, versions: known };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    offer: (manifest, tarball) => {
      const { name, version } = manifest;
      const path = `/${name}/-/${name}-${version}.tgz`;
      tarballs.set(path, tarball);
      const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
      const known = versions.get(name) ?? {};
      versions.set(name, { ...known, [version]: { ...manifest, dist: { tarball: `${url}${path}`, integrity } } });
    },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => {
          done();
        });
      }),
  };
}
