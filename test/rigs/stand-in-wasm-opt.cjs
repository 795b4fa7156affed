#!/usr/bin/env node
// moccache-compiler-input: ./wasm-opt
//
// A stand-in for wasm-opt that takes milliseconds: adds to the wasm a custom section with the digest of all that it was
// told, but for the names of the files. Each start but for --version appends the line `PID FLAGS` to the file
// OPTIMIZER_COUNT_FILE.
//
// `--fail` among the flags makes it fail, `--nothing` write nothing, `--garbage` something else than a wasm, and
// `--die` end by a signal; `--random` other bytes each time; `--look` tells in the section what lies in the current
// folder.
'use strict';
const { createHash, randomBytes } = require('node:crypto');
const { appendFileSync, readFileSync, readdirSync, writeFileSync } = require('node:fs');

const args = process.argv.slice(2);
if (args[0] === '--version') {
  process.stdout.write('stand-in for wasm-opt\n');
  process.exit(0);
}
const at = args.indexOf('-o');
const [input, output, flags] = [args[at - 1], args[at + 1], args.slice(0, at - 1)];
const { OPTIMIZER_COUNT_FILE } = process.env;
if (OPTIMIZER_COUNT_FILE !== undefined) appendFileSync(OPTIMIZER_COUNT_FILE, `${process.pid} ${flags.join(' ')}\n`);
const wasm = readFileSync(input);
if (flags.includes('--fail')) {
  process.stderr.write('Fatal: told to fail\n');
  process.exit(3);
}
if (flags.includes('--die')) process.kill(process.pid, 'SIGKILL');
const digest = createHash('sha256').update(JSON.stringify(flags)).update(wasm);
if (flags.includes('--random')) digest.update(randomBytes(8));
const told = flags.includes('--look') ? readdirSync('.').join(' ') : digest.digest('hex');
const content = Buffer.concat([Buffer.from([9]), Buffer.from('optimized'), Buffer.from(told)]);
const section = Buffer.concat([Buffer.from([0, content.length]), content]);
if (!flags.includes('--nothing')) {
  writeFileSync(output, flags.includes('--garbage') ? 'no wasm' : Buffer.concat([wasm, section]));
}
