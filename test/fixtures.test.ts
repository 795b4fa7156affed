import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ignore from 'ignore';
import { describe, expect, test } from 'vitest';
import { readProject } from '../src/build/project.ts';
import { repository } from './rigs/built.ts';

const fixtures = join(repository, 'fixtures');
const names = readdirSync(fixtures).filter((name) => existsSync(join(fixtures, name, 'mops.toml')));

describe.each(names)('fixture %s', (name) => {
  const root = join(fixtures, name);
  const project = readProject(join(root, 'mops.toml'));

  test('has every file that its mops.toml names', () => {
    const paths = project.canisters.flatMap(({ main, candid }) => [main, candid].filter((path) => path !== undefined));
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('has the packages of its mops.lock, byte for byte', () => {
    const lock = JSON.parse(readFileSync(join(root, 'mops.lock'), 'utf8')) as Lock;
    for (const [id, files] of Object.entries(lock.hashes)) {
      const paths = readdirSync(join(root, '.mops', id), { recursive: true, encoding: 'utf8' }).filter((path) =>
        statSync(join(root, '.mops', id, path)).isFile(),
      );
      const found = paths.map((path) => [`${id}/${path}`, sha256(readFileSync(join(root, '.mops', id, path)))]);
      expect(Object.fromEntries(found)).toEqual(files);
    }
  });

  test('has a mops.lock that fits its mops.toml', () => {
    const lock = JSON.parse(readFileSync(join(root, 'mops.lock'), 'utf8')) as Lock;
    const declared = [...project.dependencies, ...project.devDependencies].map((dependency) => [
      dependency.name,
      dependency.kind === 'registry' ? dependency.version : dependency.kind,
    ]);
    expect(lock.mopsTomlDepsHash).toBe(sha256(JSON.stringify(Object.fromEntries(declared.sort()))));
    expect(lock.deps).toMatchObject(Object.fromEntries(declared));
  });

  test('is committed whole, but for what a build leaves behind', () => {
    const rules = ignore().add(readFileSync(join(repository, '.gitignore'), 'utf8'));
    const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (path) => !/^(\.mops\/\.build|node_modules)(\/|$)/.test(path),
    );
    expect(paths).toContain('mops.toml');
    expect(paths.filter((path) => rules.ignores(`fixtures/${name}/${path}`))).toEqual([]);
  });
});

interface Lock {
  readonly mopsTomlDepsHash: string;
  readonly deps: Readonly<Record<string, string>>;
  readonly hashes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
