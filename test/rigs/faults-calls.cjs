// Preloaded into the CLI (NODE_OPTIONS=--require): calls of the file system fail as on a bad disk or a file server.
// FAULT_CALLS is JSON, a list of { call, path, code, times?, done? }: `call` as node:fs names it, without Sync; `path` a
// regular expression for its first argument, or for its first two with ` -> ` between; `times`, how often (default: always). With `done` the call does its work
// and fails all the same, as when a file server's answer is lost and the client asks again. Each failure is a line in the
// file FAULT_LOG: a test has to know that its fault came to pass.
'use strict';
const fs = require('node:fs');
const { constants } = require('node:os');

const { FAULT_CALLS, FAULT_LOG } = process.env;
const { appendFileSync } = fs;

// The compiler, which is a script as well, is to run undisturbed.
if (/\/(?:mops|moccache)\.cjs$/.test(process.argv[1] ?? '')) {
  for (const { call, path, code, times = Infinity, done = false } of JSON.parse(FAULT_CALLS)) {
    const place = new RegExp(path);
    let left = times;
    const placeOf = ([first, second]) => (path.includes(' -> ') ? `${first} -> ${second}` : String(first));
    const isDue = (given) => left > 0 && place.test(placeOf(given)) && left-- > 0;
    const failure = (asked) => {
      appendFileSync(FAULT_LOG, `${call} ${asked}\n`);
      const message = `${code}: made to fail, ${call} '${asked}'`;
      return Object.assign(new Error(message), { code, errno: -constants.errno[code], syscall: call, path: asked });
    };
    spoil(fs, `${call}Sync`, (real, given) => {
      if (!isDue(given)) return real(...given);
      if (done) real(...given);
      throw failure(given[0]);
    });
    spoil(fs.promises, call, async (real, given) => {
      if (!isDue(given)) return real(...given);
      if (done) await real(...given);
      throw failure(given[0]);
    });
  }
}

function spoil(home, name, call) {
  const real = home[name];
  home[name] = Object.assign((...given) => call(real, given), real);
}
