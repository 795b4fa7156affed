import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { openDisk, type Disk } from './disk.ts';
import { graft, HOST, UnknownBuild } from './grafts.ts';
import { RELEASES } from './releases.ts';
import { elementsOf, listOf, NOTHING, textOf, type Ref, type Value } from './ocaml.ts';

/** The compiler, loaded and not yet used. */
export interface Moc {
  readonly api: MocApi;
  /** What the compiler's own API has no word for. */
  readonly inner: Inner;
  /** Prints the diagnostics of the last call, as the flags want them. False where they mean that it has failed. */
  printDiagnostics(): boolean;
  /** What was printed since the last call of this. */
  takeOutput(): Output;
  /** `--release`. False where it is not known that dropping `debug` expressions is all there is to it. */
  dropDebug(): boolean;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** What `Motoko` of the npm package offers, as far as it is used here. */
export interface MocApi {
  readonly version: string;
  setExtraFlags(flags: readonly string[]): void;
  addPackage(name: string, dir: string): void;
  setCandidPath(dir: string): void;
  setPublicMetadata(names: readonly string[]): void;
  gcFlags(name: string): void;
  check(files: readonly string[]): void;
  stableCompatible(before: string, after: string): void;
  printDeps(file: string): string;
  /** `code` is null where the program was rejected. */
  compileWasm(mode: 'ic' | 'wasi', main: string): { readonly code: Compiled | null };
}

interface Compiled {
  readonly wasm: Uint8Array;
  readonly candid: string;
  readonly stable: string | null;
}

interface Inner {
  readonly debugInfo: Ref;
  readonly actorIdl: Ref;
  readonly aliases: Ref;
  readonly toBytes: (text: string) => string;
  addTo(key: string, value: Value, map: Value): Value;
}

/** What the changed text of the compiler sees of us, and fills in. */
interface Host {
  readonly disk: Disk;
  readonly listOf: typeof listOf;
  release: boolean;
  diagnostics: Value;
  inner:
    | (Inner & {
        readonly stdout: object;
        readonly stderr: object;
        sysError(message: string): never;
        printAll(result: Value): Value;
        contents(buffer: object): string;
        clear(buffer: object): void;
      })
    | undefined;
}

/**
 * Runs the compiler's file as far as its being ready. To be called once in a process: the compiler keeps its state in
 * itself, and a second compile numbers its names on from the first. Throws UnknownBuild.
 */
export function loadMoc(file: string): Moc {
  const host: Host = {
    disk: openDisk((message) => innerOf(host).sysError(message)),
    listOf,
    release: false,
    diagnostics: NOTHING,
    inner: undefined,
  };
  const module: { exports: { Motoko?: MocApi } } = { exports: {} };
  const run = compileFunction(graft(readFileSync(file, 'utf8')), ['module', HOST], { filename: file });
  run.call(globalThis, module, host);
  const inner = innerOf(host);
  const { Motoko: api } = module.exports;
  if (api === undefined) throw new UnknownBuild('the API');
  // Defaults of the command line that differ from those of the JavaScript build.
  inner.actorIdl[1] = NOTHING;
  api.setExtraFlags(['--error-detail', '2']);

  const take = (buffer: object) => {
    const text = textOf(inner.contents(buffer));
    inner.clear(buffer);
    return text;
  };
  return {
    api,
    inner,
    printDiagnostics: () => {
      const kept = inner.printAll([0, [0, NOTHING, host.diagnostics]]);
      return kept !== NOTHING && !elementsOf(host.diagnostics).some(isError);
    },
    takeOutput: () => ({ stdout: take(inner.stdout), stderr: take(inner.stderr) }),
    dropDebug: () => {
      host.release = RELEASES.has(api.version);
      return host.release;
    },
  };
}

/** A diagnostic begins with its severity: warning, error, note. */
function isError(diagnostic: Value): boolean {
  return (diagnostic as readonly unknown[])[1] === 1;
}

function innerOf(host: Host): NonNullable<Host['inner']> {
  if (host.inner === undefined) throw new UnknownBuild('the end');
  return host.inner;
}
