import { posix, win32 } from 'node:path';

/** mops's own folders. Without HOME they are relative, as upstream's are. */
export interface MopsDirs {
  /** The global cache, as `mops cache show` prints it: packages of the chosen network, and our builds. */
  readonly cache: string;
  /** Where toolchains lie (`moc/VERSION/moc`): shared by all networks. */
  readonly toolchains: string;
  readonly config: string;
}

/** Where mops keeps its things, by operating system and environment. */
export function mopsDirs({ platform, env }: MopsDirsOptions): MopsDirs {
  const path = platform === 'win32' ? win32 : posix;
  const home = env.HOME ?? '';
  const local = env.LOCALAPPDATA ?? '';
  const [cacheHome, configHome] =
    platform === 'win32'
      ? [path.join(local, 'mops', 'cache'), path.join(local, 'mops', 'config')]
      : platform === 'darwin'
        ? [path.join(home, 'Library/Caches/mops'), path.join(home, 'Library/Application Support/mops')]
        : [path.join(home, '.cache/mops'), path.join(home, '.config/mops')];
  const toolchains = isSet(env.XDG_CACHE_HOME) ? path.join(env.XDG_CACHE_HOME, 'mops') : cacheHome;
  const network = isSet(env.MOPS_NETWORK) && env.MOPS_NETWORK !== 'ic' ? env.MOPS_NETWORK : '';
  return {
    cache: path.join(toolchains, network),
    toolchains,
    config: isSet(env.XDG_CONFIG_HOME) ? path.join(env.XDG_CONFIG_HOME, 'mops') : configHome,
  };
}

export interface MopsDirsOptions {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
