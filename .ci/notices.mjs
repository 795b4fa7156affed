// The licences of what is bundled: one file for all executables and the library.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The text of THIRD-PARTY.txt for the packages that `inputs` (paths of esbuild's metafile) lie in. */
export async function noticesOf(root, inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input);
    if (found !== null) folders.add(found[0]);
  }
  const notices = new Map();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    notices.set(`${name}@${version}`, { license, text: await licenceIn(join(root, folder)) });
  }
  const sections = [...notices.keys()].sort().map((id) => {
    const { license, text } = notices.get(id);
    if (text === undefined && license === undefined) throw new Error(`${id}: bundled, and states no licence`);
    return `${'-'.repeat(80)}\n${id} (${license ?? 'see below'})\n\n${text ?? `${license}, as its package.json says; it ships no licence file.`}`;
  });
  return ['The files in this folder contain these packages:', ...sections].join('\n\n') + '\n';
}

async function licenceIn(folder) {
  const name = (await readdir(folder)).sort().find((name) => /^(licen[cs]e|copying)/i.test(name));
  return name && (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n').trim();
}
