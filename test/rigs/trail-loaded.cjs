// Preloaded into the CLI (NODE_OPTIONS=--require): when it ends, what it loaded is written to LOADED_FILE as JSON: our own
// files by name, and of Node's modules those that Node itself had not loaded before ours began.
'use strict';
const { writeFileSync } = require('node:fs');
const { basename } = require('node:path');

const { LOADED_FILE } = process.env;

if (LOADED_FILE !== undefined && /\/(?:mops|moccache|moccache-moc)\.cjs$/.test(process.argv[1] ?? '')) {
  const before = new Set(process.moduleLoadList);
  process.on('exit', () => {
    const files = Object.keys(require.cache).map((path) => basename(path));
    const node = process.moduleLoadList.filter((name) => !before.has(name));
    writeFileSync(LOADED_FILE, JSON.stringify({ files: files.filter((name) => name.endsWith('.cjs')), node }));
  });
}
