// Preloaded into the CLI (NODE_OPTIONS=--require): kills it, as with SIGKILL from outside, just before it changes the
// folder KILL_UNDER for the KILL_AT-th time. Taking and giving back a lock is not counted.
'use strict';
const fs = require('node:fs');

const { KILL_UNDER, KILL_AT } = process.env;
let changes = 0;

if (KILL_UNDER !== undefined) {
  for (const call of [
    'mkdirSync',
    'renameSync',
    'rmSync',
    'rmdirSync',
    'truncateSync',
    'unlinkSync',
    'writeFileSync',
  ]) {
    const real = fs[call];
    fs[call] = (path, ...rest) => {
      if (String(path).startsWith(`${KILL_UNDER}/`) && !String(path).includes('.buildlock')) changes += 1;
      if (changes === Number(KILL_AT)) process.kill(process.pid, 'SIGKILL');
      return real(path, ...rest);
    };
  }
}
