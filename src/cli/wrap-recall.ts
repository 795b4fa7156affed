import { dirname } from 'node:path';
import type { ActionKey } from '../cache/digest.ts';
import type { CallPlace } from '../build/call-place.ts';
import type { Refs } from '../build/stage.ts';
import { questionOf } from './question.ts';
import type { Whereabouts } from './wrap-compiler.ts';

/** What a call leaves for the next of the same, as the answer of its trail. */
export interface Recalled {
  readonly key: ActionKey;
  readonly exitCode: number;
  readonly refs: Refs;
  readonly place?: CallPlace;
}

/** The question that a call is, as far as it is known before anything is read. */
export function questionOfCall(argv: readonly string[], cwd: string, { self, environment }: Whereabouts): string {
  return questionOf({ cwd, scriptDir: dirname(self), args: ['moccache-moc', ...argv], env: environment });
}
