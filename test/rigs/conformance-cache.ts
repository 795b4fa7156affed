import type { Case } from './conformance-case.ts';

const FULL = { 'CACHE/packages/p@1.0.0/mops.toml': 'x'.repeat(3000), 'CACHE/moc/1.2.3/moc': 'x'.repeat(2000) };

/** Section 11 of the contract: mops cache. */
export const CACHE: readonly Case[] = [
  { title: '11: cache show', args: ['cache', 'show'] },
  { title: '11: cache show under another network', args: ['cache', 'show'], env: { MOPS_NETWORK: 'staging' } },
  { title: '11: cache show under the main network', args: ['cache', 'show'], env: { MOPS_NETWORK: 'ic' } },
  { title: '11: cache show without XDG_CACHE_HOME', args: ['cache', 'show'], env: { XDG_CACHE_HOME: '' } },
  { title: '11: cache show outside of a project', args: ['cache', 'show'], files: { 'mops.toml': undefined } },
  { title: '11: cache size', args: ['cache', 'size'], files: FULL },
  {
    title: '11: cache size of more than a megabyte',
    args: ['cache', 'size'],
    files: { 'CACHE/big': 'x'.repeat(2_500_000) },
  },
  { title: '11: cache size of nothing', args: ['cache', 'size'] },
  {
    title: '11: cache clean',
    args: ['cache', 'clean'],
    files: { ...FULL, '.mops/.build/a.wasm': 'x', '.mops/p@1.0.0/x': 'x' },
  },
  {
    title: '11: cache clean from a folder inside',
    args: ['cache', 'clean'],
    from: 'src',
    files: { ...FULL, '.mops/.build/a.wasm': 'x' },
  },
  { title: '11: cache clean where there is nothing', args: ['cache', 'clean'] },
];
