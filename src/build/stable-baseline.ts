import { resolve } from 'node:path';
import { digestOf } from '../cache/digest.ts';
import type { Context } from './context.ts';
import { fromRoot } from './local-path.ts';
import type { Canister } from './project.ts';

/**
 * The flag by which a compiler that can compares a program that has migrations with what is deployed: upstream passes it
 * on from release 1.15 on. The file is then an input like others.
 */
export async function baselineFlagsOf(
  context: Context,
  { migrations, checkStable }: Canister,
): Promise<readonly string[]> {
  if (migrations === undefined || checkStable?.endsWith('.most') !== true) return [];
  const { root } = context.project;
  const release = releaseIn(await versionOf(context));
  return release !== undefined && isFrom115(release)
    ? ['--stable-baseline', fromRoot(root, resolve(root, checkStable))]
    : [];
}

/** What the compiler says of itself where mops.toml does not; asked once for the same bytes. */
async function versionOf({ cache, compiler, identity, signal }: Context): Promise<string> {
  if (releaseIn(identity.version) !== undefined) return identity.version;
  const note = digestOf(JSON.stringify(['version', identity.digest]));
  const known = cache.readNote(note);
  if (known !== undefined) return known;
  const version = (await compiler.askVersion?.(signal)) ?? '';
  cache.writeNote(note, version);
  return version;
}

/** The first thing in a text that looks like a release: major, minor. */
function releaseIn(text: string): readonly [number, number] | undefined {
  const [, major, minor] = /(?:^|[^\d.])(\d+)\.(\d+)(?:\.\d+|$)/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

function isFrom115([major, minor]: readonly [number, number]): boolean {
  return major > 1 || (major === 1 && minor >= 15);
}
