import { toml } from './conformance-case.ts';
import type { Files } from './conformance-scene.ts';

/** A package of the registry: what is in its folder. */
export function pkg(id: string, dependencies: Readonly<Record<string, string>> = {}, baseDir?: string): Files {
  const [name = '', version = ''] = id.split('@');
  const base = baseDir === undefined ? '' : `baseDir = "${baseDir}"\n`;
  const rows = Object.entries(dependencies).map(([to, value]) => `"${to}" = "${value}"\n`);
  return {
    'mops.toml': `[package]\nname = "${name}"\nversion = "${version}"\n${base}[dependencies]\n${rows.join('')}`,
    [`${baseDir ?? 'src'}/lib.mo`]: `module { /* ${id} */ }\n`,
  };
}

export function under(dir: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${dir}/${path}`, text]));
}

/** In the global cache and in the project, as upstream leaves them. */
export function installed(id: string, ...rest: readonly [Readonly<Record<string, string>>?, string?]): Files {
  return { ...cached(id, ...rest), ...inProject(id, ...rest) };
}

export function cached(id: string, ...rest: readonly [Readonly<Record<string, string>>?, string?]): Files {
  return under(`CACHE/packages/${id}`, pkg(id, ...rest));
}

export function inProject(id: string, ...rest: readonly [Readonly<Record<string, string>>?, string?]): Files {
  return under(`.mops/${id}`, pkg(id, ...rest));
}

/** A program that imports `mo:p`. */
const USES_P = { 'src/A.mo': 'import P "mo:p";\nactor { }\n' };

/** That program, with these dependencies. */
export function depends(dependencies: Readonly<Record<string, string>>, more = ''): Files {
  const rows = Object.entries(dependencies).map(([name, value]) => `"${name}" = "${value}"`);
  return { ...USES_P, 'mops.toml': toml(`[dependencies]\n${rows.join('\n')}\n${more}`) };
}

export const P1 = { p: '1.0.0' };
