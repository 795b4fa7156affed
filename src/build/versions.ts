import coerce from 'semver/functions/coerce.js';
import compare from 'semver/functions/compare.js';
import parse from 'semver/functions/parse.js';
import valid from 'semver/functions/valid.js';
import { githubRefOf } from './dependency.ts';

// Loaded only where two versions of one package meet, or a deploy is to be checked.

/** Order of versions, total: what is no version of semver's is read as leniently as can be (`0.16` is 0.16.0). */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  return compare(versionOf(a), versionOf(b));
}

export function majorOf(version: string): number {
  return versionOf(version).major;
}

/** Whether a text is a whole version of semver's, and not below the oldest one. */
export function isVersionFrom(oldest: string, text: string): boolean {
  return valid(text) !== null && compare(text, oldest) >= 0;
}

/** Order of two GitHub URLs by the version at the end of their branch. One without a version is below everything. */
export function compareGithub(a: string, b: string): -1 | 0 | 1 {
  const versionA = tagVersionOf(a);
  const versionB = tagVersionOf(b);
  if (versionA === undefined) return -1;
  return versionB === undefined ? 1 : compareVersions(versionA, versionB);
}

function versionOf(text: string) {
  const version =
    parse(text, { loose: true }) ?? coerce(text, { loose: true, includePrerelease: true }) ?? parse('0.0.0');
  if (version === null) throw new Error('semver cannot read 0.0.0');
  return version;
}

function tagVersionOf(url: string): string | undefined {
  const match = /v(\d{1,2}\.\d{1,2}\.\d{1,2})(-.*)?$/.exec(githubRefOf(url).branch);
  return match === null ? undefined : `${match[1] ?? ''}${match[2] ?? ''}`;
}
