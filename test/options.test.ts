import { expect, test } from 'vitest';
import { parseCommand } from '../src/cli/options.ts';

const BUILD = {
  kind: 'build',
  canisters: [],
  verbose: false,
  optimize: true,
  locked: false,
  cache: true,
  rebuild: false,
  explain: false,
  keepGoing: false,
  json: false,
  mocArgs: [],
};

test.each([
  [['build'], {}],
  [['build', 'a', 'b', 'a'], { canisters: ['a', 'b'] }],
  [['build', '--verbose', '--json'], { verbose: true, json: true }],
  [['build', '-o', 'out'], { output: 'out' }],
  [['build', '--output=out'], { output: 'out' }],
  [['build', '-j', '3'], { jobs: 3 }],
  [['build', '-j4', 'a'], { jobs: 4, canisters: ['a'] }],
  [['build', '--no-cache'], { cache: false }],
  [['build', '--no-optimize', '--locked'], { optimize: false, locked: true }],
  [['build', '--check-wasm'], { checkWasm: true }],
  [['build', '--check-wasm', '--no-check-wasm'], { checkWasm: false }],
  [['build', '--no-check-deploy'], { checkDeploy: false }],
  [['build', '--rebuild', '--explain', '--keep-going'], { rebuild: true, explain: true, keepGoing: true }],
  [['build', 'a', '--', '--release', '-o', 'x', '--'], { canisters: ['a'], mocArgs: ['--release', '-o', 'x', '--'] }],
])('%j is a build with %j', (args, expected) => {
  expect(parseCommand(args, 'mops')).toEqual({ ...BUILD, ...expected });
});

test.each([
  [['build', '--nope'], 'build', /unknown option '--nope'/],
  [['build', '-o'], 'build', /-o, --output/],
  [['build', '--jobs', '0'], 'build', /--jobs takes a whole number from 1 up, not "0"/],
  [['build', '--jobs', '2.5'], 'build', /not "2.5"/],
  [['build', '--rebuild', '--no-cache'], 'build', /--rebuild compares with the cache/],
  [['cache'], 'cache', /show, size, clean, gc, stats, explain, inspect, verify or doctor/],
  [['cache', 'nope'], 'cache', /no such command: nope/],
  [['cache', 'size', 'now'], 'cache', /"now" is too much/],
  [['cache', 'clean', '--global', '--builds'], 'cache', /exclude each other/],
  [['link', 'x'], 'link', /x/],
])('%j is refused in one line that names the trouble', (args, topic, message) => {
  const command = parseCommand(args, 'mops');
  expect(command).toMatchObject({ kind: 'usage', topic });
  expect(command.kind === 'usage' && command.message).toMatch(message);
  expect(command.kind === 'usage' && command.message).not.toContain('\n');
});

test.each([
  [['cache', 'show'], { kind: 'cache-show' }],
  [['cache', 'size'], { kind: 'cache-size' }],
  [['cache', 'clean'], { kind: 'cache-clean', scope: 'project-and-global' }],
  [['cache', 'clean', '--global'], { kind: 'cache-clean', scope: 'global' }],
  [['cache', 'clean', '--builds'], { kind: 'cache-clean', scope: 'builds' }],
  [['link'], { kind: 'link', check: false }],
  [['link', '--check'], { kind: 'link', check: true }],
  [['build', '--help'], { kind: 'help', topic: 'build' }],
  [['cache', '-h'], { kind: 'help', topic: 'cache' }],
])('%j is ours under either name', (args, expected) => {
  expect(parseCommand(args, 'mops')).toEqual(expected);
  expect(parseCommand(args, 'moccache')).toEqual(expected);
});

test.each([[[]], [['--help']], [['--version']]])(
  '%j is upstream’s under the name mops, ours under moccache',
  (args) => {
    expect(parseCommand(args, 'mops')).toEqual({ kind: 'hand-over', args });
    expect(parseCommand(args, 'moccache').kind).toMatch(/help|version/);
  },
);

test('every other command is handed over as it is', () => {
  const args = ['test', '--reporter', 'verbose', '--', 'build'];
  expect(parseCommand(args, 'moccache')).toEqual({ kind: 'hand-over', args });
});
