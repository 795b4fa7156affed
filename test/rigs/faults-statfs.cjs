// Preloaded into the CLI (NODE_OPTIONS=--require): every disk says that it is of the type STATFS_TYPE (statfs(2)).
'use strict';
const fs = require('node:fs');

const { STATFS_TYPE } = process.env;

if (STATFS_TYPE !== undefined && /\/(?:mops|moccache)\.cjs$/.test(process.argv[1] ?? '')) {
  const real = fs.statfsSync;
  fs.statfsSync = (...given) => Object.assign(real(...given), { type: Number(STATFS_TYPE) });
}
