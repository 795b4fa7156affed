// Holds upstream's lock on an output as ic-mops does, with the same library and options, until the file `go` is there.
// Arguments: the marker, the file.
import { existsSync, writeFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';

const [marker, go] = process.argv.slice(2);
writeFileSync(marker, '');
const release = await lockfile.lock(marker, { stale: 300_000 });
process.stdout.write('held\n');
while (!existsSync(go)) await new Promise((next) => setTimeout(next, 5));
await release();
