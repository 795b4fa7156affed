// Preloaded into the CLI (NODE_OPTIONS=--require): a file system that lacks the one thing that BROKEN names. The rest is
// the real one's.
'use strict';
const fs = require('node:fs');

const refuse = (code) => {
  throw Object.assign(new Error(`${code}: as told`), { code, errno: -1 });
};
const real = { ...fs };

const BREAKS = {
  rename: () => (fs.renameSync = () => refuse('EPERM')),
  folders: () => {
    fs.mkdirSync = (path, options) =>
      path.endsWith('/lock') && real.existsSync(path) ? undefined : real.mkdirSync(path, options);
  },
  files: () => (fs.writeFileSync = (path, text) => real.writeFileSync(path, text)),
  times: () => (fs.utimesSync = () => undefined),
  append: () => (fs.openSync = (path, flags, mode) => real.openSync(path, flags === 'a' ? 'w' : flags, mode)),
  fsync: () => (fs.fsyncSync = () => refuse('EINVAL')),
};

if (/\/(?:mops|moccache)\.cjs$/.test(process.argv[1] ?? '')) BREAKS[process.env.BROKEN]();
