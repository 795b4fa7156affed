import { withoutExtension } from './command-line.ts';
import { UnknownBuild } from './grafts.ts';
import { loadMoc, type Moc, type Output } from './load.ts';
import { exceptionOf, some, textOf, tuple, type Value } from './ocaml.ts';
import { dropSections } from './sections.ts';
import type { Alias, Job, Settings } from './settings.ts';

/** How a job ended. Only an accepted program has files to write. */
export interface Done extends Output {
  /** `unusable`: an argument that the compiler does not take; `crashed`: it did not come to an end of its own. */
  readonly end: 'accepted' | 'rejected' | 'unusable' | 'crashed';
  /** In the order of writing. */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array | string }[];
}

/** Loads the compiler and does the job. To be called once in a process, with a big stack: see loadMoc. */
export function runJob(job: Job, compilerFile: string): Done {
  let moc: Moc;
  try {
    moc = loadMoc(compilerFile);
  } catch (error) {
    if (!(error instanceof UnknownBuild)) throw error;
    const stderr = `moc-js: ${compilerFile} is a build that it does not know (${error.message}); motoko 4.10.0 has one\n`;
    return { end: 'unusable', stdout: '', stderr, files: [] };
  }
  try {
    const unserved = applySettings(moc, job.settings);
    if (unserved !== undefined) return { end: 'unusable', stdout: '', stderr: `moc-js: ${unserved}\n`, files: [] };
    const done = work(moc, job);
    return { ...moc.takeOutput(), ...done };
  } catch (error) {
    const { stdout, stderr } = moc.takeOutput();
    const { end, message } = explain(error);
    return { end, stdout, stderr: message === '' ? stderr : `${stderr}${message}\n`, files: [] };
  }
}

function work(moc: Moc, job: Job): Pick<Done, 'end' | 'files'> & Partial<Output> {
  switch (job.kind) {
    case 'compile': {
      const { code } = moc.api.compileWasm(job.settings.systemApi, job.main);
      if (!moc.printDiagnostics() || code === null) return { end: 'rejected', files: [] };
      const stem = withoutExtension(job.output);
      const omitted = job.settings.omitMetadata;
      // As native: what is not in the module does not become a file either.
      const stable = omitted.includes('motoko:stable-types') ? null : code.stable;
      return {
        end: 'accepted',
        files: [
          { path: job.output, content: dropSections(code.wasm, omitted) },
          ...(job.idl ? [{ path: `${stem}.did`, content: code.candid }] : []),
          ...(job.stableTypes && stable !== null ? [{ path: `${stem}.most`, content: stable }] : []),
        ],
      };
    }
    case 'check':
      moc.api.check(job.files);
      return { end: moc.printDiagnostics() ? 'accepted' : 'rejected', files: [] };
    case 'stable-compatible':
      moc.api.stableCompatible(job.before, job.after);
      return { end: moc.printDiagnostics() ? 'accepted' : 'rejected', files: [] };
    case 'print-deps':
      return { end: 'accepted', files: [], stdout: textOf(moc.api.printDeps(job.file)) };
  }
}

/** Names the flag that this build of the compiler cannot be given, if there is one. */
function applySettings(moc: Moc, settings: Settings): string | undefined {
  const { api, inner } = moc;
  for (const { name, dir } of settings.packages) api.addPackage(name, dir);
  if (settings.actorIdl !== undefined) api.setCandidPath(settings.actorIdl);
  for (const alias of settings.aliases) {
    inner.aliases[1] = inner.addTo(inner.toBytes(alias.name), aliasValueOf(alias, inner.toBytes), inner.aliases[1]);
  }
  api.setPublicMetadata(settings.publicMetadata);
  for (const name of settings.memory) api.gcFlags(name);
  if (settings.debugInfo) inner.debugInfo[1] = 1;
  if (settings.release && !moc.dropDebug()) return '--release: this build of the compiler is not one it is known for';
  for (const flag of settings.own) api.setExtraFlags(flag);
  return undefined;
}

/** `Left (variable, file)` or `Right (principal, file option)`. */
function aliasValueOf(alias: Alias, bytes: (text: string) => string): Value {
  if (alias.kind === 'variable') return [0, tuple(bytes(alias.variable), bytes(alias.candid))];
  return [1, tuple(bytes(alias.principal), alias.candid === undefined ? 0 : some(bytes(alias.candid)))];
}

/** What a thrown thing means: an I/O error and a compiler that gives up are rejections, the rest should not happen. */
function explain(error: unknown): { readonly end: Exclude<Done['end'], 'accepted'>; readonly message: string } {
  const exception = exceptionOf(error);
  if (error instanceof RangeError || exception?.name === 'Stack_overflow') {
    return { end: 'crashed', message: 'moc-js: the program is nested too deeply for the stack' };
  }
  if (exception === undefined) throw error;
  const { name, text } = exception;
  switch (name) {
    case 'Sys_error':
      return { end: 'rejected', message: text };
    case 'Mo_config__Exit.Exit': // its text is a mere exit status where the compiler has printed its reasons
      return { end: 'rejected', message: /^Fatal error \(exit \d+\)$/.test(text) ? '' : text };
    case 'Stdlib.Arg.Bad': // a line about the flag, then a list of those that go through here
      return { end: 'unusable', message: (text.split('\n')[0] ?? '').replace(/^mocjs/, 'moc-js') };
    default:
      if (name.endsWith('.TooLargeDataSegments')) return { end: 'rejected', message: `Error: ${text}` };
      return { end: 'crashed', message: `moc-js: the compiler failed: ${name} ${text}` };
  }
}
