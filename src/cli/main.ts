import { readFileSync, realpathSync } from 'node:fs';
import { constants, homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BuildError } from '../build/outcome.ts';
import { isSystemError } from '../cache/tier.ts';
import { failureText } from './failures.ts';
import type { Host, Stream } from './host.ts';
import { liveLines, plainLines } from './live.ts';
import { parseCommand, type Command } from './options.ts';
import { paintFor } from './paint.ts';

/**
 * The executable: argv to exit code. Reads the environment and the streams, and hands them down.
 *
 * Exit codes: 0; 1 for a failure on our side; moc's own where moc rejects the program; 130, 143 and
 * 129 after SIGINT, SIGTERM and SIGHUP.
 */
async function main(): Promise<number> {
  const { argv, env, stdout, stderr } = process;
  const stop = new AbortController();
  let stoppedBy: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stoppedBy !== undefined) process.exit(128 + constants.signals[signal]); // asked twice: at once
    stoppedBy = signal;
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // A reader that went away (`mops build | head`) is no reason for a stack trace.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);

  const script = realpathSync(argv[1] ?? '');
  const cwd = currentDir(env.MOPS_CWD);
  if (cwd === undefined) {
    stderr.write(
      isSet(env.MOPS_CWD)
        ? `error: ${env.MOPS_CWD}: no such folder; MOPS_CWD names it\nset MOPS_CWD to the folder of a project, or unset it\n`
        : 'error: the current folder does not exist any more\nchange to one that does\n',
    );
    return 1;
  }
  const host: Host = {
    cwd,
    env: {
      ...homeOf(),
      ...Object.fromEntries(
        Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
      ...(isSet(env.MOPS_CWD) ? { MOPS_CWD: cwd } : {}), // ic-mops follows it too, and is started in another folder
    },
    args: argv.slice(2),
    platform: process.platform,
    script,
    node: process.execPath,
    tmpDir: join(tmpdir(), `moccache-${process.getuid?.() ?? 'user'}`),
    out: streamOf(stdout, env),
    err: streamOf(stderr, env),
    signal: stop.signal,
  };
  try {
    const code = await run(
      parseCommand(argv.slice(2), basename(argv[1] ?? '').startsWith('mops') ? 'mops' : 'moccache'),
      host,
    );
    return stoppedBy === undefined ? code : 128 + constants.signals[stoppedBy];
  } catch (error) {
    if (stoppedBy !== undefined) return 128 + constants.signals[stoppedBy];
    // A disk that fails where nobody expects it is no bug of ours: the system's own words say most.
    if (!(error instanceof BuildError) && !isSystemError(error)) throw error;
    const text = error instanceof BuildError ? failureText(error.failure) : (error as Error).message;
    host.err.write(`${host.err.paint.red('error:')} ${text}\n`);
    return 1;
  }
}

async function run(command: Command, host: Host): Promise<number> {
  switch (command.kind) {
    case 'build': {
      const { buildCommand } = await import('./build-command.ts');
      const live =
        host.err.isTerminal && !command.json
          ? liveLines(host.err, host.out, process.stderr)
          : plainLines(host.err, host.out);
      return buildCommand(command, host, live);
    }
    case 'cache-show':
    case 'cache-size':
    case 'cache-clean': {
      const { cacheCommand } = await import('./cache-command.ts');
      return cacheCommand(command, host);
    }
    case 'cache-stats': {
      const { statsCommand } = await import('./stats-command.ts');
      return statsCommand(command, host);
    }
    case 'cache-gc':
    case 'cache-clean-some': {
      const { upkeepCommand } = await import('./gc-command.ts');
      return upkeepCommand(command, host);
    }
    case 'cache-explain':
    case 'cache-explain-keys': {
      const { explainCommand } = await import('./explain-command.ts');
      return explainCommand(command, host);
    }
    case 'cache-inspect': {
      const { inspectCommand } = await import('./inspect-command.ts');
      return inspectCommand(command, host);
    }
    case 'cache-verify': {
      const { verifyCommand } = await import('./verify-command.ts');
      return verifyCommand(command, host);
    }
    case 'cache-doctor': {
      const { doctorCommand } = await import('./doctor-command.ts');
      return doctorCommand(command, host);
    }
    case 'link': {
      const { linkCommand } = await import('./link-command.ts');
      return linkCommand(command, host);
    }
    case 'hand-over': {
      const { handOver } = await import('./hand-over.ts');
      return handOver(command.args, host);
    }
    case 'version':
      host.out.write(`moccache ${versionOf(host.script)}\n`);
      return 0;
    case 'help': {
      const { helpText } = await import('./help.ts');
      host.out.write(helpText(command.topic));
      return 0;
    }
    case 'usage':
      host.err.write(`${host.err.paint.red('error:')} ${command.message}\nsee: moccache ${command.topic} --help\n`);
      return 1;
  }
}

/** Absolute; undefined where the folder was deleted, or where MOPS_CWD names none. */
function currentDir(moved: string | undefined): string | undefined {
  try {
    if (isSet(moved)) process.chdir(moved); // as upstream does
    return process.cwd();
  } catch {
    return undefined;
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

/** HOME for those who run without one (a cron job, a container): without it mops's folders would lie where the user stands. */
function homeOf(): Readonly<Record<string, string>> {
  try {
    return process.platform === 'win32' ? {} : { HOME: homedir() };
  } catch {
    return {}; // a user whom the system does not know
  }
}

function streamOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Stream {
  // The types hide that it is undefined on a pipe.
  const isTerminal = ('isTTY' in stream ? stream.isTTY : false) && env.TERM !== 'dumb';
  return {
    write: (text) => void stream.write(text),
    isTerminal,
    paint: paintFor(() => isTerminal, env),
  };
}

function versionOf(script: string): string {
  const { version } = JSON.parse(readFileSync(join(script, '../../package.json'), 'utf8')) as { version: string };
  return version;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // A bug of ours: say so, with what helps to find it.
    process.stderr.write(
      `moccache: internal error\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
