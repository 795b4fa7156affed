// Preloaded: holds a collection that a build has started, until the file HOLD_GC is there, or its folder is gone.
'use strict';
const { existsSync } = require('node:fs');
const { dirname } = require('node:path');

const { HOLD_GC } = process.env;
if (process.argv.includes('--by-itself')) {
  while (!existsSync(HOLD_GC) && existsSync(dirname(HOLD_GC)))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
