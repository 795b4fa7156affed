// A store with many entries, written straight into its layout: much faster than building them.
//
//     node bench/big-store.mjs DIR COUNT [OLDEST_DAYS]
//
// Entries share their artifacts, as those of a canister do that is often rebuilt. They were last used at times spread
// evenly between now and OLDEST_DAYS ago (default: 20).
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import xxhash from 'xxhash-wasm';

const DAY_MS = 86_400_000;
const ENTRIES_PER_WASM = 20;

/** Makes the store; answers the bytes of its results and blobs. */
export async function makeBigStore(dir, count, oldestDays = 20) {
  if (existsSync(dir)) throw new Error(`${dir} is there already`);
  const { h64Raw } = await xxhash();
  const checksumOf = (bytes) => h64Raw(bytes).toString(16).padStart(16, '0');
  const nowMs = Date.now();
  const folders = new Set();
  let sizeBytes = 0;

  const put = (path, content, usedMs) => {
    const file = join(dir, path);
    const folder = dirname(file);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    folders.add(folder);
    writeFileSync(file, content, { mode: 0o600 });
    utimesSync(file, usedMs / 1000, usedMs / 1000);
  };
  const blobs = new Map();
  const blobOf = (content, usedMs) => {
    const bytes = Buffer.from(content);
    const digest = sha256(bytes);
    const ref = `${digest} ${checksumOf(bytes)} ${bytes.length}`;
    if (blobs.has(digest)) return ref;
    blobs.set(digest, ref);
    put(join('cas', digest.slice(0, 2), digest), bytes, usedMs);
    sizeBytes += bytes.length;
    return ref;
  };

  put('version', sealed('moccache store 1'), nowMs);
  for (let number = 0; number < count; number += 1) {
    const usedMs = Math.round(nowMs - DAY_MS / 24 - (oldestDays * DAY_MS * (count - number)) / count);
    const document = Buffer.from(`["format",1]\n["main","src/Main${number}.mo"]\n["flags","--release"]\n`);
    const key = sha256(document);
    const wasm = Math.floor(number / ENTRIES_PER_WASM);
    const head = [
      'moccache result 1',
      `key ${key}`,
      `artifact did ${blobOf(`service : { f${wasm % 7} : () -> () }\n`, usedMs)}`,
      `artifact wasm ${blobOf(`wasm ${wasm} `.padEnd(4_000, '.'), usedMs)}`,
      'cost 4012',
      `created ${usedMs}`,
      `document ${checksumOf(document)} ${document.length}`,
      '',
    ].join('\n');
    const result = `${head}check ${checksumOf(Buffer.from(head))}\n${document}`;
    put(join('ac', key.slice(0, 2), key), result, usedMs);
    sizeBytes += result.length;
  }
  return sizeBytes;
}

/** As sealed.ts has it. */
function sealed(text) {
  return `${text}\n${shortHashOf(text)}\n`;
}

/** As short-hash.ts has it. */
function shortHashOf(text) {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const at of text.split('').keys()) {
    a = Math.imul(a ^ text.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(at), 0x85ebca6b);
    b ^= b >>> 13;
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [dir, count, oldestDays] = process.argv.slice(2);
  if (dir === undefined || !(Number(count) > 0))
    throw new Error('usage: node bench/big-store.mjs DIR COUNT [OLDEST_DAYS]');
  const sizeBytes = await makeBigStore(dir, Number(count), Number(oldestDays ?? 20));
  console.log(`${count} entries, ${sizeBytes} bytes`);
}
