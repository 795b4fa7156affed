#!/usr/bin/env node
// moccache-compiler-input: ./moc
//
// Stands for moc where it is not the compiler's time that is measured: writes a wasm of the size that the first line of
// the main file asks for, of one custom section.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');

const args = process.argv.slice(2);
if (args.includes('--version')) process.stdout.write('Motoko compiler 1.10.1 (stand-in)\n');
else {
  const main = args.find((arg) => arg.endsWith('.mo'));
  const output = args[args.indexOf('-o') + 1];
  const bytes = Number(/^\/\/ (\d+) bytes/.exec(readFileSync(main, 'utf8'))?.[1] ?? 1000);
  const section = Buffer.concat([Buffer.from('\x05stand'), Buffer.alloc(bytes, main)]);
  writeFileSync(output.replace(/wasm$/, 'did'), 'service : {}\n');
  writeFileSync(output.replace(/wasm$/, 'most'), 'actor { };\n');
  const head = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, ...leb128(section.length)]);
  writeFileSync(output, Buffer.concat([head, section]));
}

function leb128(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
