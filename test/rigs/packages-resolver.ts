import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { resolvePackages } from '../../src/build/packages.ts';
import { readProject } from '../../src/build/project.ts';

/** A process that says it is ready, waits for a line, resolves the project's packages, and prints how many files each has. */
const [root = '', globalCacheDir = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
process.stdin.once('data', () => {
  const project = readProject(join(root, 'mops.toml'));
  void resolvePackages(project, { globalCacheDir, mopsEnv: undefined }).then(({ packages }) => {
    const counts = packages.map(({ name, dir }) => `${name} ${dir} ${readdirSync(join(root, dir)).length}`);
    process.stdout.write(counts.join('\n'));
    process.stdin.destroy();
  });
});
