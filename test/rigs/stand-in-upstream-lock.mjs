// Holds upstream's lock on an output as ic-mops does, with the same library and options, until the file `go` is there.
// Arguments: the marker, the file, and perhaps a folder whose files are written over those beside the marker, in place.
// Exits with 3 where the lock was not its own any more at the end.
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import lockfile from 'proper-lockfile';

const [marker, go, from] = process.argv.slice(2);
writeFileSync(marker, '');
const release = await lockfile.lock(marker, {
  stale: 300_000,
  retries: { retries: 2_000, minTimeout: 10, maxTimeout: 10 },
});
const held = identity();
if (from !== undefined) {
  for (const name of readdirSync(from).filter((each) => !each.startsWith('.')))
    writeFileSync(join(dirname(marker), name), readFileSync(join(from, name)));
}
process.stdout.write('held\n');
while (!existsSync(go)) await new Promise((next) => setTimeout(next, 5));
if (identity() !== held) process.exitCode = 3;
await release();

function identity() {
  const stats = lstatSync(`${marker}.lock`, { bigint: true, throwIfNoEntry: false });
  return `${stats?.ino} ${stats?.birthtimeNs}`;
}
