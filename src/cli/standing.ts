import type { Outcome } from '../build/outcome.ts';
import { paintFor } from './paint.ts';
import type { Paint } from './report.ts';
import {
  colourWarning,
  complexityLines,
  optimizedText,
  outcomeLine,
  pathLines,
  startText,
  successText,
  withNewline,
} from './report.ts';
import { isTerminal, writeOut, type Descriptor } from './streams.ts';

/** What a build that found everything in the cache leaves for the next one, as the answer of its trail. */
export interface Standing {
  /** The project's root, and where its files go, absolute. */
  readonly root: string;
  readonly outputDir: string;
  /** Where builds of this user may have left something: the next one sweeps. */
  readonly scratchDir: string;
  readonly verbose: boolean;
  /** Remarks on the project that are made in every build. */
  readonly remarks: readonly string[];
  readonly hits: readonly Hit[];
}

export type Hit = Extract<Outcome, { readonly outcome: 'hit' }>;

/** Tells of a build whose canisters all hit, in the words and the order of any build, to somebody in the folder `cwd`. */
export function tellHits({ verbose, remarks, hits }: Standing, cwd: string, env: Environment): void {
  const [out, err] = [paintOf(1, env), paintOf(2, env)];
  for (const remark of remarks) writeOut(2, `${colourWarning(remark, err)}\n`);
  for (const hit of hits) {
    writeOut(1, startText(hit.canister, out));
    if (hit.optimizer !== undefined) writeOut(1, optimizedText(hit, out));
    const diagnostics = verbose && hit.diagnostics !== '' ? withNewline(hit.diagnostics) : '';
    const lines = [
      outcomeLine(hit, verbose, err),
      ...complexityLines(hit).map((line) => colourWarning(line, err)),
      ...(verbose ? pathLines(hit, cwd).map(err.dim) : []),
    ];
    writeOut(2, `${diagnostics}${lines.join('\n')}\n`);
  }
  writeOut(1, successText(hits.length, out));
}

type Environment = Readonly<Record<string, string | undefined>>;

function paintOf(fd: Descriptor, env: Environment): Paint {
  return paintFor(() => isTerminal(fd, env.TERM), env);
}
