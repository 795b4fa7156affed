import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { digestOf } from '../cache/digest.ts';
import { existsSync, readFileSync } from '../cache/disk.ts';
import { digestOfFile } from '../cache/stamps.ts';
import type { CompilerIdentity, FinishAction } from './action.ts';
import { BuildError, type FunctionComplexity } from './outcome.ts';

/**
 * What turns moc's wasm into the wasm that is deployed: the WebAssembly module that ic-mops ships. Only the same module
 * gives the same bytes, for it parses the wasm and writes it anew (functions in another order, no name section).
 */
export interface Finisher {
  readonly identity: CompilerIdentity;
  /** Loads the module ahead of its use, for when there is time: while the compiler runs. Never throws. */
  warmUp(): void;
  /** Whether its files still are those of the identity. To be asked after use: they are loaded when first used. */
  isUnchanged(): boolean;
  /** Whether a service may replace another: `fresh` and `published` are Candid texts. Loads the module when first used. */
  isCompatible(fresh: string, published: string): boolean;
  /** Throws a plain Error with the parser's message where the bytes are no WebAssembly module. */
  addSections(wasm: Uint8Array, sections: FinishAction['metadata']): Uint8Array;
  /** Whether this version of the module analyses wasm. Does not load it. */
  canAnalyse(): boolean;
  /** How complex the functions are that come near the network's limit. Throws what the module throws. */
  analyse(wasm: Uint8Array): readonly FunctionComplexity[];
}

/** The part of ic-mops's module that is used; its names are theirs. */
interface Bindings {
  is_candid_compatible(fresh: string, published: string): boolean;
  add_custom_sections(wasm: Uint8Array, sections: { name: string; data: string }[]): Uint8Array;
  /** From ic-mops 3 on. */
  analyze_wasm_function_complexity?(wasm: Uint8Array): { readonly riskyFunctions: readonly FunctionComplexity[] };
}

const ANALYSE = 'analyze_wasm_function_complexity' satisfies keyof Bindings;

/** The smallest WebAssembly module: magic number and version. */
const EMPTY_MODULE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Where the module lies in the releases of ic-mops. */
const PLACES = ['dist/wasm/pkg/nodejs', 'wasm/pkg/nodejs'];

/** Finds the module in an ic-mops package. Throws a BuildError where that version has none. */
export function openFinisher(icMops: { packageDir: string; version: string }, stampsDir: string | undefined): Finisher {
  const dir = PLACES.map((place) => join(icMops.packageDir, place)).find((place) => existsSync(join(place, 'wasm.js')));
  if (dir === undefined) {
    throw new BuildError({ kind: 'no-ic-mops', needed: `its WebAssembly module, which ${icMops.packageDir} lacks` });
  }
  const digestNow = () =>
    digestOf(['wasm.js', 'wasm_bg.wasm'].map((name) => digestOfFile(join(dir, name), stampsDir)).join('\n'));
  const digest = digestNow();
  let loaded: Bindings | undefined;
  const bindings = () => (loaded ??= loadBindings(dir));
  return {
    identity: { name: 'ic-mops', version: icMops.version, digest },
    isUnchanged: () => digestNow() === digest,
    warmUp: () => {
      try {
        bindings().add_custom_sections(EMPTY_MODULE, []);
      } catch {
        // its use will say what is wrong
      }
    },
    isCompatible: (fresh, published) => bindings().is_candid_compatible(fresh, published),
    addSections: (wasm, sections) =>
      bindings().add_custom_sections(
        wasm,
        sections.map(({ name, data }) => ({ name, data })),
      ),
    canAnalyse: () => readFileSync(join(dir, 'wasm.js'), 'utf8').includes(ANALYSE),
    analyse: (wasm) => bindings()[ANALYSE]?.(wasm).riskyFunctions ?? [],
  };
}

/**
 * V8 optimizes a module's hot functions in the background, and a process does not end before that is done: after one use
 * of this module that is half a second (measured on Node 20 and 22), longer than the use itself. So it is told to keep to
 * its first, quick compilation. The setting holds for the whole process, and is made only where there is work to finish.
 */
function loadBindings(dir: string): Bindings {
  setFlagsFromString('--liftoff-only');
  return createRequire(join(dir, 'wasm.js'))('./wasm.js') as Bindings;
}

export interface FinishInput {
  readonly canister: string;
  readonly wasm: Uint8Array;
  readonly did: Uint8Array;
  readonly candid: Candid | undefined;
  readonly sections: FinishAction['metadata'];
}

/** The configured Candid file: its path as mops.toml has it, and its text. */
export interface Candid {
  readonly path: string;
  readonly text: string;
}

/** Reads the Candid file that mops.toml names, as upstream does: as UTF-8, whatever it holds. */
export function readCandid(root: string, canister: string, path: string | undefined): Candid | undefined {
  if (path === undefined) return undefined;
  try {
    return { path, text: readFileSync(resolve(root, path), 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error; // a bug, not the disk
    throw new BuildError({ kind: 'candid-missing', canister, path });
  }
}

/** The sections that upstream adds: the service as published (or as generated), and the init argument if there is one. */
export function sectionsOf(candidText: string, initArg: string | undefined): FinishAction['metadata'] {
  const service = { name: 'icp:public candid:service', data: candidText };
  return initArg === undefined || initArg === ''
    ? [service]
    : [service, { name: 'icp:public candid:args', data: initArg }];
}

/** The final wasm. Throws a BuildError where the service does not fit the published one, or the wasm is none. */
export function finish(finisher: Finisher, input: FinishInput): Uint8Array {
  const { canister, candid } = input;
  if (candid !== undefined && !isCompatible(finisher, Buffer.from(input.did).toString('utf8'), candid.text)) {
    // What is not even compatible with itself cannot be parsed.
    const isCandid = isCompatible(finisher, candid.text, candid.text);
    throw new BuildError({ kind: 'candid-incompatible', canister, path: candid.path, isCandid });
  }
  try {
    return finisher.addSections(input.wasm, input.sections);
  } catch (error) {
    throw new BuildError({
      kind: 'bad-wasm',
      canister,
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** A Candid text that cannot be parsed is compatible with nothing. */
function isCompatible(finisher: Finisher, fresh: string, published: string): boolean {
  try {
    return finisher.isCompatible(fresh, published);
  } catch {
    return false;
  }
}
