#!/usr/bin/env node
// moccache-compiler-input: ./moc
//
// A stand-in for moc that takes milliseconds. It understands the arguments that a build passes, reads what moc would
// read (and nothing else), and writes a small valid wasm that tells by a digest what it was made of: every file that was
// read, under its path, every argument but the output's, and the MOC_* variables. So other inputs give other bytes, and
// a hit with wrong bytes shows. With `--check` it reads and writes nothing.
//
// Each start appends the line `PID MAIN` to the file COUNT_FILE, and its arguments, as JSON, to ARGUMENTS_FILE. What else
// it is to do stands in the main file, as lines `// stand-in: ORDER`, or in the variable STAND_IN, orders parted by `;`.
// The orders are in ORDERS below. Lines `// did: TEXT` are the text of the .did, which is else `service : {}`.
'use strict';
const { createHash, randomBytes } = require('node:crypto');
const { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { posix } = require('node:path');

const { ARGUMENTS_FILE, COUNT_FILE, STAND_IN, STAND_IN_HOLD } = process.env;
const digest = createHash('sha256');
const made = { wasm: 'whole', did: 'whole', most: 'whole' };
const sections = [];
let atEnd = () => undefined;
let differing = '';

const ORDERS = {
  /** warn TEXT: a warning at the order's own line. */
  warn: (text, where) => process.stderr.write(`${where}: warning [M0194], ${text}\n`),
  /** print TEXT: to stdout. */
  print: (text) => process.stdout.write(`${text}\n`),
  /** exit N: rejects the program. */
  exit: (code, where) => {
    process.stderr.write(`${where}: type error [M0050], told to stop\n`);
    process.exit(Number(code));
  },
  /** die SIGNAL: when all is read and nothing written. */
  die: (signal) => (atEnd = () => die(signal)),
  /** without ARTIFACT, garbage ARTIFACT, folder ARTIFACT: nothing, other bytes, or a folder in its place. */
  without: (artifact) => (made[artifact] = 'nothing'),
  garbage: (artifact) => (made[artifact] = 'garbage'),
  folder: (artifact) => (made[artifact] = 'folder'),
  /** broken: begins as a wasm and does not go on as one. */
  broken: () => (made.wasm = 'broken'),
  /** program: a module with two functions, their names in a section of its own. */
  program: () => (made.wasm = 'program'),
  /** section NAME = TEXT: one more custom section. */
  section: (text) => sections.push(/^(.*?) = (.*)$/.exec(text).slice(1)),
  /** random: other bytes each time. */
  random: () => digest.update(randomBytes(8)),
  /** differ PLACE: other bytes each time, and only there: in the `code` or a `custom` section of the wasm, or in the `did`. */
  differ: (place) => (differing = place),
  /** hold: waits until the file STAND_IN_HOLD is there. */
  hold: () => {
    while (!existsSync(STAND_IN_HOLD)) sleep(5);
  },
  /** deaf: takes no notice of SIGTERM. */
  deaf: () => process.on('SIGTERM', () => undefined),
  /** see PATH: tells on stdout whether the file is there. It is not read. */
  see: (path) => process.stdout.write(`${path}: ${existsSync(path) ? 'there' : 'not there'}\n`),
  /** env NAME: tells on stdout what a variable is. */
  env: (name) => process.stdout.write(`${name}=${process.env[name] ?? '(not set)'}\n`),
};

/** `f` gives 1, `g` adds 2 and 3; `g` is exported, and both are named. */
const PROGRAM = Buffer.from(
  `0061736d01000000 010501 6000017f 0303020000 0705010167 0001 0a0e02 040041010b 070041024103 6a0b
   000e046e616d65 0107020001660101 67`.replace(/\s/g, ''),
  'hex',
);

main(process.argv.slice(2));

function main(args) {
  if (args[0] === '--version') {
    process.stdout.write('stand-in for moc\n');
    return;
  }
  if (ARGUMENTS_FILE !== undefined) appendFileSync(ARGUMENTS_FILE, `${JSON.stringify(args)}\n`);
  const { output, main, packages, candids, migrations, baseline } = understand(args);
  if (COUNT_FILE !== undefined) appendFileSync(COUNT_FILE, `${process.pid} ${main}\n`);
  for (const [name, dir] of packages)
    if (!existsSync(dir)) reject(`package error [M0012], no folder ${dir} for ${name}`);
  if (baseline !== undefined) read(baseline, '--stable-baseline');
  const text = readAll(main, packages, candids, modulesIn(migrations));
  for (const name of Object.keys(process.env).sort()) {
    if (name.startsWith('MOC_')) digest.update(`env ${name}=${process.env[name]}\n`);
  }
  const lines = text.split(/\r?\n/);
  for (const order of (STAND_IN ?? '').split(';')) obey(order.trim(), main);
  for (const [index, line] of lines.entries()) {
    const order = /^\s*\/\/ stand-in: (.*)$/.exec(line)?.[1];
    if (order !== undefined) obey(order, `${main}:${index + 1}.1-${index + 1}.${line.length}`);
  }
  atEnd();
  const did = lines.flatMap((line) => /^\s*\/\/ did: (.*)$/.exec(line)?.[1] ?? []).join('\n') || 'service : {}';
  const mark = digest.digest('hex');
  if (args.includes('--check')) return;
  const stem = output.replace(/\.wasm$/, '');
  const note = differing === 'did' ? `// ${randomBytes(8).toString('hex')}\n` : '';
  if (args.includes('--idl')) put(`${stem}.did`, made.did, Buffer.from(`${did}\n${note}`));
  if (args.includes('--stable-types')) put(`${stem}.most`, made.most, Buffer.from(`// ${mark}\nactor { };\n`));
  put(output, made.wasm, Buffer.concat([wasmWith([['stand-in', mark], ...sections]), differingSections()]));
  if (args.includes('--map')) writeFileSync(`${output}.map`, JSON.stringify({ file: posix.basename(output), mark }));
}

/** The arguments that matter here; every one of them goes into the digest. */
function understand(args) {
  const found = { output: undefined, main: undefined, packages: new Map(), candids: new Map() };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    digest.update(`arg ${arg}\n`);
    const take = () => {
      const value = rest.shift() ?? '';
      digest.update(`arg ${value}\n`);
      return value;
    };
    if (arg === '-o') found.output = rest.shift();
    else if (arg === '--package') found.packages.set(take(), take());
    else if (arg === '--public-metadata' || arg === '-A' || arg === '-W') take();
    else if (arg === '--actor-env-alias') {
      const name = take();
      take();
      found.candids.set(name, take());
    } else if (arg === '--args') rest.unshift(...linesOf(take()));
    else if (arg.endsWith('.mo') && found.main === undefined) found.main = arg;
  }
  if ((found.output === undefined && !args.includes('--check')) || found.main === undefined)
    reject('no main file or no output', 2);
  return found;
}

function linesOf(path) {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** The migrations in a folder. Their order goes into the digest as that of reading. */
function modulesIn(dir) {
  if (dir === undefined) return [];
  if (!existsSync(dir)) return reject(`import error [M0009], no folder ${dir}`);
  const names = readdirSync(dir).filter((name) => name.endsWith('.mo'));
  return names.sort().map((name) => `${dir}/${name}`);
}

/** Reads the main file, the migrations and what they import, and gives the text of the former. */
function readAll(main, packages, candids, migrations) {
  const seen = new Set();
  const waiting = [main, ...migrations];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = read(path, path);
    for (const { index, 1: url } of text.matchAll(/^[ \t]*import\s+[^"\n]*"([^"]+)"/gm)) {
      const where = `${path}:${text.slice(0, index).split('\n').length}.1`;
      const target = targetOf(url, path, packages, candids, where);
      if (target?.endsWith('.did')) read(target, where);
      else if (target !== undefined) waiting.push(target);
    }
  }
  return readFileSync(main, 'utf8');
}

function targetOf(url, importer, packages, candids, where) {
  const [, scheme, path] = /^(?:(\w+):)?(.*)$/.exec(url);
  if (scheme === undefined) return moduleAt(posix.join(posix.dirname(importer), path), where);
  if (scheme === 'canister') return candids.get(path) ?? reject(`import error [M0011], no alias ${path}`, 1, where);
  if (scheme !== 'mo') return undefined;
  const [name, ...rest] = path.split('/');
  const dir = packages.get(name);
  if (dir === undefined) return reject(`import error [M0010], no package ${name}`, 1, where);
  return moduleAt(posix.join(dir, ...rest), where);
}

function moduleAt(path, where) {
  const found = [`${path}.mo`, `${path}/lib.mo`].find((file) => existsSync(file));
  return found ?? reject(`import error [M0009], nothing at ${path}`, 1, where);
}

function read(path, where) {
  try {
    const bytes = readFileSync(path);
    digest.update(`file ${path} ${bytes.length}\n`).update(bytes);
    return bytes.toString('utf8');
  } catch (error) {
    return reject(`import error [M0009], ${path}: ${error.code}`, 1, where);
  }
}

function obey(order, where) {
  if (order === '') return;
  const [, word, rest] = /^(\S+)\s*(.*)$/.exec(order);
  if (ORDERS[word] === undefined) reject(`no such order: ${order}`, 2);
  ORDERS[word](rest, where);
}

function put(path, how, bytes) {
  if (how === 'folder') mkdirSync(path);
  else if (how !== 'nothing') writeFileSync(path, bytesAs(how, bytes));
}

function bytesAs(how, bytes) {
  if (how === 'garbage') return Buffer.from('this is no output of a compiler');
  // A type section that says it is longer than the file.
  if (how === 'broken') return Buffer.concat([bytes.subarray(0, 8), Buffer.from([1, 0x7f, 1])]);
  return how === 'program' ? Buffer.concat([PROGRAM, bytes.subarray(8)]) : bytes;
}

/** The smallest module that can hold texts: a header and custom sections. */
function wasmWith(texts) {
  const header = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  const sections = texts.map(([name, text]) => {
    const content = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from(text)]);
    return Buffer.concat([Buffer.from([0, content.length]), content]);
  });
  return Buffer.concat([header, ...sections]);
}

/** What `differ` asks for: a function that does nothing with random numbers, or a custom section that holds them. */
function differingSections() {
  const numbers = [...randomBytes(8)].map((byte) => byte & 0x3f);
  if (differing === 'custom') return Buffer.from([0, 16, 7, ...Buffer.from('made-at'), ...numbers]);
  if (differing !== 'code') return Buffer.from([]);
  const body = [0, ...numbers.flatMap((number) => [0x41, number, 0x1a]), 0x0b]; // i32.const N, drop; end
  const code = [1, body.length, ...body];
  return Buffer.from([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, code.length, ...code]);
}

function die(signal) {
  process.kill(process.pid, signal);
  for (;;) sleep(1000);
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function reject(message, code = 1, where = '(unknown location)') {
  process.stderr.write(`${where}: ${message}\n`);
  process.exit(code);
}
