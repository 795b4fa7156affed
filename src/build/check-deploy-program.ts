/**
 * What ic-mops's check of the deploy is asked, of one canister. The names are theirs; `initCandid` is the text of the
 * interface as generated, against which the init argument is encoded.
 */
export interface DeployArtifact {
  readonly name: string;
  readonly wasmPath: string;
  readonly mostPath: string;
  readonly initCandid: string;
  readonly initArg?: string;
  readonly wasmMemoryLimit?: number;
}

/** What the program is sent, once it is started. */
export interface DeployOrder {
  /** The folder of ic-mops's modules. */
  readonly dir: string;
  readonly artifacts: readonly DeployArtifact[];
  readonly options: { readonly verbose: boolean; readonly mocPath: string };
}

/** What it sends when it is done. No `problem`: every canister could be installed, or was told of as left out. */
export interface DeployVerdict {
  readonly problem?: string;
}

/** ic-mops's modules in its folder: the check, what hands the WebAssembly module to it, and that module. */
export const MODULES = {
  check: 'helpers/check-deploy.js',
  bindings: 'wasm.js',
  wasm: 'wasm/pkg/nodejs/wasm.js',
} as const;

/**
 * An ES module for Node that runs ic-mops's check. In a process of its own: the check prints, follows signals and ends
 * the process as it likes.
 */
export const PROGRAM = `
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

process.once('message', async ({ dir, artifacts, options }) => {
  const load = (file) => import(pathToFileURL(join(dir, file)).href);
  try {
    const { setWasmBindings } = await load('${MODULES.bindings}');
    setWasmBindings(createRequire(import.meta.url)(join(dir, '${MODULES.wasm}')));
    const { checkDeploy } = await load('${MODULES.check}');
    await checkDeploy(artifacts, options);
    process.send({});
  } catch (error) {
    process.send({ problem: error instanceof Error ? error.message : String(error) });
  }
});
`;
