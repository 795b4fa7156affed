/** What is asked of a build, as far as it is known before anything is read: the same question may have the same answer. */
export interface Asked {
  /** Absolute, `MOPS_CWD` applied. */
  readonly cwd: string;
  /** The folder of the running executable. */
  readonly scriptDir: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function questionOf({ cwd, scriptDir, args, env }: Asked): string {
  const names = Object.keys(env).filter((name) => DECISIVE.test(name));
  return JSON.stringify([cwd, scriptDir, args, names.sort().map((name) => [name, env[name]])]);
}

/**
 * Variables that decide what a build reads, where, and what the compiler makes of it. How the outcome is told (colours)
 * is decided anew each time.
 */
const DECISIVE =
  /^(?:MOC_|BINARYEN_|MOPS_|MOCCACHE_|XDG_|NODE_PATH$|PATH$|HOME$|USERPROFILE$|APPDATA$|LOCALAPPDATA$|TMPDIR$|TMP$|TEMP$)/i;
