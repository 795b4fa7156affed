// Preloaded into the CLI (NODE_OPTIONS=--require): something happens at its n-th call of the file system. Every function
// of `fs` and `fs.promises` is a call, but those that are made of others (writeFileSync opens, writes and closes): there
// the others count. So does reading modules; the compiler and ic-mops, which inherit the variables, are left alone.
//
//   FAULT_AT    n, from 1
//   FAULT_DO    kill       SIGKILL just before the call
//               torn       half of the bytes are written, then SIGKILL; only calls that write are counted
//               stop       SIGSTOP just before the call
//               fail       the call fails without being made: EIO where it reads, ENOSPC where it changes something
//               CODE       the same with that code
//   FAULT_UNDER only calls on a path in this folder are counted, and on descriptors opened there; default: all
//   FAULT_CALLS a file: for each counted call, the line `NAME PATH`
'use strict';
const fs = require('node:fs');
const { constants } = require('node:os');

const { FAULT_AT, FAULT_DO, FAULT_UNDER, FAULT_CALLS } = process.env;
const WRITES = new Set(['writeSync', 'write', 'writev', 'writevSync', 'writeFile', 'appendFile']);
const MADE_OF_OTHERS = new Set(['readFileSync', 'writeFileSync', 'appendFileSync', 'rmSync', 'rm']);
const real = {
  writeSync: fs.writeSync,
  openSync: fs.openSync,
  closeSync: fs.closeSync,
  writeFileSync: fs.writeFileSync,
};

const at = Number(FAULT_AT);
const calls = FAULT_CALLS === undefined ? undefined : real.openSync(FAULT_CALLS, 'a');
const paths = new Map(); // of descriptors
let count = 0;

if (/(?:mops|moccache)\.cjs$/.test(process.argv[1] ?? '')) {
  for (const name of Object.keys(fs)) {
    if (typeof fs[name] !== 'function' || /^[A-Z_]|Stream|^watch|^unwatch/.test(name) || MADE_OF_OTHERS.has(name))
      continue;
    wrap(fs, name, name.endsWith('Sync') ? 'sync' : 'callback');
  }
  for (const name of Object.keys(fs.promises)) {
    if (typeof fs.promises[name] === 'function' && !MADE_OF_OTHERS.has(name)) wrap(fs.promises, name, 'promise');
  }
}

function wrap(home, name, kind) {
  const original = home[name];
  const wrapped = function (...args) {
    const path = pathOf(args[0]);
    const fault = isCounted(name, path) ? strike(name, path, args) : undefined;
    if (fault === undefined) return remember(name, path, original.apply(this, args));
    if (name === 'existsSync') return false; // it never throws
    if (kind === 'sync') throw fault;
    if (kind === 'promise') return Promise.reject(fault);
    const done = args.findLast((arg) => typeof arg === 'function');
    process.nextTick(() => done?.(fault));
    return undefined;
  };
  // realpath.native and the like, and util.promisify's own forms
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
  home[name] = wrapped;
}

function pathOf(first) {
  if (typeof first === 'number') return paths.get(first) ?? '';
  return typeof first === 'string' || first instanceof URL || Buffer.isBuffer(first) ? String(first) : '';
}

function remember(name, path, result) {
  if (name === 'openSync') paths.set(result, path);
  return result;
}

function isCounted(name, path) {
  if (FAULT_DO === 'torn' && !WRITES.has(name)) return false;
  return FAULT_UNDER === undefined || path === FAULT_UNDER || path.startsWith(`${FAULT_UNDER}/`);
}

/** What the call fails with, or undefined where it is to be made. */
function strike(name, path, args) {
  count += 1;
  if (calls !== undefined) real.writeSync(calls, `${name} ${path}\n`);
  if (count !== at) return undefined;
  if (FAULT_DO === 'torn') writeHalf(name, args);
  if (FAULT_DO === 'stop') process.kill(process.pid, 'SIGSTOP');
  if (FAULT_DO === 'kill' || FAULT_DO === 'torn') process.kill(process.pid, 'SIGKILL');
  const code = FAULT_DO === 'fail' ? (isRead(name, args) ? 'EIO' : 'ENOSPC') : FAULT_DO;
  const errno = constants.errno[code];
  if (errno === undefined) return undefined;
  return Object.assign(new Error(`${code}: as told, ${name} '${path}'`), {
    ...{ errno: -errno, code, syscall: name.replace(/Sync$/, '') },
    ...(path === '' ? {} : { path }),
  });
}

function isRead(name, args) {
  if (/^open/.test(name)) return args[1] === undefined || args[1] === 'r' || args[1] === 0;
  return /^(?:read|l?stat|fstat|access|exists|realpath|close|opendir)/.test(name);
}

function writeHalf(name, args) {
  const [where, data] = args;
  const bytes = Buffer.concat((Array.isArray(data) ? data : [data]).map((piece) => Buffer.from(piece)));
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  if (typeof where === 'number') real.writeSync(where, half, 0, half.length, null);
  else real.writeFileSync(where, half, args[2]);
}
