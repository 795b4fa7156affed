/** The environment that the compiler gets: OCaml's own settings could change its hash tables, so they are left out. */
export function environmentOf(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !RUNTIME_SETTINGS.has(name)));
}

/** Whether the environment sets the run time of a compiler that is written in OCaml. */
export function steersRuntime(environment: Readonly<Record<string, string>>): boolean {
  return [...RUNTIME_SETTINGS].some((name) => environment[name] !== undefined);
}

const RUNTIME_SETTINGS = new Set(['OCAMLRUNPARAM', 'CAMLRUNPARAM']);

/** The variables that moc itself reads, or may read in a development build. */
export function mocVariablesOf(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('MOC_')));
}

/** Development builds of moc read files that variables name (MOC_RELEASE_RTS and the like): their bytes are in no key. */
export function hiddenInput(environment: Readonly<Record<string, string>>): string | undefined {
  const name = Object.keys(mocVariablesOf(environment)).find((variable) => variable.endsWith('_RTS'));
  return name === undefined ? undefined : `${name} names a file of the compiler's own`;
}
