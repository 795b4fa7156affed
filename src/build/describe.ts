import { digestOf, type Digest } from '../cache/digest.ts';
import { keyOfCompile, keyOfFinish, keyOfOptimize, type Keyed } from './action.ts';
import { outputsOf } from './compile.ts';
import type { Context } from './context.ts';
import { readCandid, sectionsOf, type Candid, type Finisher } from './finish.ts';
import { readInputs, type Inputs } from './inputs.ts';
import { hiddenInput, mocVariablesOf } from './moc-environment.ts';
import type { Optimizer } from './optimizer.ts';
import type { Outcome } from './outcome.ts';
import type { Canister } from './project.ts';

/** Everything that decides a canister's bytes, read and described, with nothing compiled. */
export interface Description extends Inputs {
  readonly candid: Candid | undefined;
  /** Why the result must not be cached; undefined where it may be. */
  readonly uncacheable: string | undefined;
  readonly compile: Keyed;
}

/** Reads a canister's sources. Throws a BuildError where they, or the Candid file, cannot be had. */
export async function describe(
  context: Context,
  canister: Canister,
  earlier: readonly Promise<Outcome>[],
): Promise<Description> {
  const { environment, project } = context;
  const inputs = await readInputs(context, canister, earlier);
  const { flags, invocation, closure } = inputs;
  return {
    ...inputs,
    candid: readCandid(project.root, canister.name, canister.candid),
    uncacheable: invocation.uncacheable ?? closure.uncacheable ?? hiddenInput(environment),
    compile: keyOfCompile({
      compiler: context.identity,
      main: closure.main,
      flags,
      environment: mocVariablesOf(environment),
      packages: context.packages,
      closure,
      outputs: outputsOf(invocation),
      outputName: invocation.sourceMap ? canister.name : undefined,
    }),
  };
}

/** What is done to what the compiler made. */
export function describeFinish(
  made: { readonly wasm: Digest; readonly did: Digest },
  canister: Pick<Canister, 'initArg'>,
  candid: Candid | undefined,
  finisher: Pick<Finisher, 'identity'>,
): Keyed {
  return keyOfFinish({
    ...made,
    candid: candid === undefined ? undefined : digestOf(candid.text),
    // Where no Candid file is configured the published service is the generated one, which `did` names.
    metadata: sectionsOf(candid?.text ?? '', canister.initArg).slice(candid === undefined ? 1 : 0),
    finisher: finisher.identity,
  });
}

/** What is done to the finished wasm after that. */
export function describeOptimize(wasm: Digest, optimizer: Optimizer): Keyed {
  const { identity, flags, variables } = optimizer;
  return keyOfOptimize({ wasm, optimizer: identity, flags, environment: variables });
}
