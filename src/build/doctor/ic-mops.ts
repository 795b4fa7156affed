import type { Finding } from '../../cache/doctor/finding.ts';
import { openFinisher } from '../finish.ts';
import { findIcMops, type IcMopsPlaces } from '../ic-mops.ts';
import { BuildError } from '../outcome.ts';

/** Whether ic-mops is there, new enough, and has the module that builds need. */
export function checkIcMops(places: IcMopsPlaces): Finding {
  const check = 'ic-mops';
  const advice = `npm install --save-dev ic-mops@">=${OLDEST.join('.')}.0"`;
  const icMops = findIcMops(places);
  if (icMops === undefined) {
    return { check, state: 'wrong', says: 'not found: nothing can be built, installed or fetched without it', advice };
  }
  const { packageDir, version } = icMops;
  if (packageDir === undefined || version === undefined) {
    const says = `${icMops.command.join(' ')} is a launcher: the module that builds need lies in the package, which was not found`;
    return { check, state: 'wrong', says, advice };
  }
  if (isTooOld(version)) {
    return {
      check,
      state: 'wrong',
      says: `${version} in ${packageDir} is too old; ${OLDEST.join('.')} is needed`,
      advice,
    };
  }
  try {
    openFinisher({ packageDir, version }, undefined);
  } catch (error) {
    if (!(error instanceof BuildError) || error.failure.kind !== 'no-ic-mops') throw error;
    return { check, state: 'wrong', says: `${version} lacks ${error.failure.needed}`, advice };
  }
  return { check, state: 'ok', says: `${version} in ${packageDir}` };
}

/** As peerDependencies in package.json has it. */
const OLDEST = [2, 9] as const;

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}
