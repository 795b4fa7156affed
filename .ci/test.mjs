// `npm test`: every check, then every test. The last line is `N passed, N failed`.
// `npm run check` leaves the tests out; names after it choose among the checks: `npm run check -- eslint knip`.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const CHECKS = [
  ['typecheck', 'typescript/bin/tsc', '-p', '.'],
  ['eslint', 'eslint/bin/eslint.js', '.', '--max-warnings', '0'],
  ['prettier', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['dependency-cruiser', 'dependency-cruiser/bin/dependency-cruise.mjs', '--output-type', 'err-long', 'src', 'test'],
  ['knip', 'knip/bin/knip.js'],
  ['typedoc', 'typedoc/bin/typedoc', '--emit', 'none'],
  ['build', '../.ci/build.mjs'],
  ['publint', 'publint/src/cli.js', '--strict'],
  ['attw', '@arethetypeswrong/cli/dist/index.js', '--pack', '.', '--profile', 'esm-only', '--no-color'],
];

const arguments_ = process.argv.slice(2);
const checksOnly = arguments_.includes('--checks');
const chosen = arguments_.filter((argument) => argument !== '--checks');
const unknown = chosen.filter((name) => !CHECKS.some(([known]) => known === name));
if (unknown.length > 0) throw new Error(`no such check: ${unknown.join(', ')}`);

ensureInstalled(root);
const total = { passed: 0, failed: 0 };
for (const [name, script, ...rest] of CHECKS)
  if (chosen.length === 0 || chosen.includes(name)) await check(name, script, rest);
if (!checksOnly && chosen.length === 0) runTests();
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** One line when it passes; what it printed, too, when it fails. */
async function check(name, script, rest) {
  const start = performance.now();
  const { code, output } = await run(script, rest);
  const ok = code === 0;
  total[ok ? 'passed' : 'failed']++;
  console.log(line(ok, name, start));
  if (!ok) console.log(indent(output));
}

function run(script, rest) {
  const child = spawn(process.execPath, [join(root, 'node_modules', script), ...rest], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Shown as they run: they take minutes, and some print why they skip. */
function runTests() {
  const start = performance.now();
  const report = join(root, 'node_modules', '.cache', `vitest-${process.pid}.json`);
  const numbers = join(root, 'node_modules', '.cache', `numbers-${process.pid}.txt`);
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, MOCCACHE_REPORT: numbers } },
  );
  showNumbers(numbers);
  const counts = countsIn(report, status);
  total.passed += counts.passed;
  total.failed += counts.failed;
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  console.log(line(counts.failed === 0, `tests: ${counts.passed} passed, ${counts.failed} failed${skipped}`, start));
}

/** What the tests measured, together (test/rigs/report.ts). */
function showNumbers(path) {
  try {
    console.log(`\nWhat the tests measured:\n\n${readFileSync(path, 'utf8').trimEnd()}\n`);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error; // no test had numbers to tell
  }
  rmSync(path, { force: true });
}

function countsIn(report, status) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
      for (const { status } of file.assertionResults)
        counts[status === 'passed' || status === 'failed' ? status : 'skipped']++;
      // A file that could not be loaded has no tests to count.
      if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')) counts.failed++;
    }
  } catch (error) {
    console.log(`no report from vitest: ${error.message}`);
  }
  rmSync(report, { force: true });
  // An error outside of any test, or no test at all.
  if (status !== 0 && counts.failed === 0) counts.failed++;
  if (status === 0 && counts.passed === 0) counts.failed++;
  return counts;
}

function line(ok, text, start) {
  return `${ok ? 'ok  ' : 'FAIL'} ${text} (${((performance.now() - start) / 1000).toFixed(1)} s)`;
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '     ');
}
