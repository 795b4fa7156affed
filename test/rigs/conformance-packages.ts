import { BASE_FILES, MARKED, toml, type Case } from './conformance-case.ts';
import { cached, depends, inProject, installed, P1, pkg, under } from './conformance-registry.ts';
import { STAND_IN } from './conformance-scene.ts';
import { lockText } from './packages-scene.ts';

/** The folder of a package that was copied. */
const PRIVATE = { 'new project/.mops/p@1.0.0/ 755': 'new project/.mops/p@1.0.0/ 700' };

/** Sections 5 and 6 of the contract: packages, installed and resolved. Nothing is to be had from the network. */
export const PACKAGES: readonly Case[] = [
  { title: '6: a package', files: { ...depends(P1), ...installed('p@1.0.0') } },
  { title: '6: a package with baseDir', files: { ...depends(P1), ...installed('p@1.0.0', {}, 'lib') } },
  {
    title: '6: a package that depends on another',
    files: { ...depends(P1), ...installed('p@1.0.0', { q: '2.0.0' }), ...installed('q@2.0.0') },
  },
  {
    title: '6: the root decides which version',
    files: {
      ...depends({ p: '1.0.0', q: '1.0.0' }),
      ...installed('p@1.0.0', { q: '2.0.0' }),
      ...installed('q@2.0.0'),
      ...installed('q@1.0.0'),
    },
  },
  {
    title: '6: an alias with a version in its name',
    files: {
      ...depends({ 'p@1': '1.0.0' }),
      'src/A.mo': 'import P "mo:p@1";\nactor { }\n',
      ...installed('p@1.0.0'),
    },
  },
  {
    title: '6: a dev-dependency counts too',
    files: { ...depends({}, '[dev-dependencies]\np = "1.0.0"'), ...installed('p@1.0.0') },
  },
  {
    title: '6: a dependency and a dev-dependency',
    files: { ...depends(P1, '[dev-dependencies]\nq = "1.0.0"'), ...installed('p@1.0.0'), ...installed('q@1.0.0') },
  },
  { title: '6: a local package with src', files: { ...depends({ p: './lib' }), 'lib/src/lib.mo': 'module { }\n' } },
  { title: '6: a local package without src', files: { ...depends({ p: './lib' }), 'lib/lib.mo': 'module { }\n' } },
  {
    title: '6: a local package with baseDir',
    files: { ...depends({ p: './lib' }), ...under('lib', pkg('p@1.0.0', {}, 'code')) },
  },
  {
    title: '6: a local package outside of the project',
    files: { ...depends({ p: '../lib' }), '../lib/src/lib.mo': 'module { }\n' },
  },
  {
    title: '6: a local package that depends on one beside it',
    files: {
      ...depends({ p: './lib' }),
      ...under('lib', pkg('p@1.0.0', { q: '../other' })),
      'other/src/lib.mo': 'module { }\n',
    },
  },
  {
    title: '6: a local package that is not there',
    files: depends({ p: './lib' }),
    says: ['M0012', 'lib'],
    differs: { 'output-when-needed': MARKED },
  },
  {
    title: '6: MOPS_ENV in the path of a local package',
    files: { ...depends({ p: './lib-{MOPS_ENV}' }), 'lib-test/src/lib.mo': 'module { }\n' },
    env: { MOPS_ENV: 'test' },
  },
  {
    title: '6: MOPS_ENV is local where it is not set',
    files: { ...depends({ p: './lib-{MOPS_ENV}' }), 'lib-local/src/lib.mo': 'module { }\n' },
  },
  {
    title: '6: a package of GitHub',
    files: {
      ...depends({ p: 'https://github.com/x/y#main@0123abc' }),
      '.mops/_github/p#main@0123abc/src/lib.mo': 'module { }\n',
      'CACHE/packages/_github/p#main@0123abc/src/lib.mo': 'module { }\n',
    },
  },
  {
    title: '6: a lock file that fits is the answer, in its order',
    files: {
      ...depends({ p: '1.0.0', q: '1.0.0' }),
      ...installed('p@1.0.0', { q: '9.0.0' }),
      ...installed('q@1.0.0'),
      'mops.lock': lockText({ dependencies: { p: '1.0.0', q: '1.0.0' } }, { q: '1.0.0', p: '1.0.0' }),
    },
  },
  {
    title: '6: a lock file of other dependencies is not',
    files: {
      ...depends(P1),
      ...installed('p@1.0.0'),
      'mops.lock': lockText({ dependencies: { p: '0.9.0' } }, { p: '0.9.0' }),
    },
  },
  {
    title: '6: what somebody changed in an installed package counts',
    files: { ...depends(P1), ...installed('p@1.0.0'), '.mops/p@1.0.0/src/lib.mo': 'module { /* changed */ }\n' },
  },
  {
    title: '5: what is in the global cache is copied into the project',
    files: { ...depends(P1), ...cached('p@1.0.0') },
    since3: PRIVATE,
  },
  {
    title: '5: the same with a lock file',
    files: { ...depends(P1), ...cached('p@1.0.0'), 'mops.lock': lockText({ dependencies: P1 }, P1) },
    since3: PRIVATE,
  },
  {
    title: '5: what is in the project only',
    files: { ...depends(P1), ...inProject('p@1.0.0'), 'mops.lock': lockText({ dependencies: P1 }, P1) },
  },
  {
    title: '5: a compiler by its version, from the global cache',
    files: {
      'mops.toml': toml().replace('"./moc"', '"1.2.3"'),
      'CACHE/moc/1.2.3/moc': STAND_IN,
      'CACHE/moc/1.2.3/moc.js': '',
    },
  },
  {
    title: '5: a package that is asked for in two majors',
    files: {
      ...depends({ p: '1.0.0', t: '1.0.0' }),
      ...installed('p@1.0.0', { s: '1.0.0' }),
      ...installed('t@1.0.0', { s: '2.0.0' }),
      ...installed('s@1.0.0'),
      ...installed('s@2.0.0'),
    },
  },
  { title: '5: no dependencies at all', files: { ...BASE_FILES, 'mops.toml': toml('[dependencies]') } },
];
