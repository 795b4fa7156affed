import { spawnSync } from 'node:child_process';
import { measure, peakMiB, run } from './measure.mjs';
import { MOPS, mops, openGenerated, removeOutputs, settle } from './scenes.mjs';

const SHAPES = [
  { name: '1 canister, 10 sources', canisters: 1, sources: 10, wasmBytes: 1e6 },
  { name: '1 canister, 300 sources', canisters: 1, sources: 300, wasmBytes: 1e6 },
  { name: '1 canister, 2,000 sources', canisters: 1, sources: 2000, wasmBytes: 1e6 },
  { name: '10 canisters, 300 sources', canisters: 10, sources: 300, wasmBytes: 1e5 },
  { name: '50 canisters, 100 sources', canisters: 50, sources: 100, wasmBytes: 1e5 },
];

/** Builds that have nothing to compile, over the start of Node. 1 MB of artifacts where there is one canister. */
export async function measureHits(top, rounds) {
  const scenes = SHAPES.map((shape) => ({
    shape,
    still: openGenerated(top, `still-${shape.canisters}-${shape.sources}`, shape),
  }));
  const restored = openGenerated(top, 'restored', SHAPES[1]);
  const [{ still: first }] = scenes;
  await settle(['build'], ...scenes.map(({ still }) => still), restored);
  const group = measure('nothing to compile', rounds, {
    'node -e 0': () => run(first, process.execPath, ['-e', '0']),
    ...Object.fromEntries(scenes.map(({ shape, still }) => [`up to date: ${shape.name}`, () => mops(still)])),
    'files restored: 1 canister, 300 sources': { before: () => removeOutputs(restored), run: () => mops(restored) },
  });
  const floor = peakMiB(first, ['-e', '0']);
  const peaks = [
    { name: 'node -e 0', peakMiB: floor },
    ...scenes.map(({ shape, still }) => ({
      name: `up to date: ${shape.name}`,
      peakMiB: peakMiB(still, [MOPS, 'build']),
    })),
    {
      name: 'files restored: 1 canister, 300 sources',
      peakMiB: peakMiB(restored, [MOPS, 'build'], 7, () => removeOutputs(restored)),
    },
  ];
  return { ...group, peaks };
}

/** The same on a terminal, which script(1) of util-linux makes: its own time is in both. Nothing where there is none. */
export async function measureTerminal(top, rounds) {
  const onTerminal = (...words) => {
    const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    return ['--quiet', '--return', '--command', command, '/dev/null'];
  };
  if (spawnSync('script', onTerminal('test', '-t', '1')).status !== 0) {
    console.log('left out: a build on a terminal, for want of script(1) of util-linux');
    return undefined;
  }
  const scene = openGenerated(top, 'terminal', SHAPES[1]);
  await settle(['build'], scene);
  const start = (...args) => run(scene, 'script', onTerminal(process.execPath, ...args), { TERM: 'xterm-256color' });
  return measure('nothing to compile, on a terminal', rounds, {
    'node -e 0': () => start('-e', '0'),
    'up to date: 1 canister, 300 sources': () => start(MOPS, 'build'),
  });
}
