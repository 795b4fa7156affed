// A stand-in for the check of deploys in ic-mops 3; stand-in-ic-mops.ts tells what it does. What it was asked goes to
// PocketIC, in headers.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getWasmBindings } from '../wasm.js';

export async function checkDeploy(artifacts, { verbose, mocPath }) {
  const checked = artifacts.filter(({ name, mostPath }) => {
    readFileSync(mostPath);
    if (name === 'grown') console.warn(`Warning [MOPS-CHECK-DEPLOY-SKIPPED]:\nCanister: ${name}`);
    return name !== 'grown';
  });
  const orders = checked.map(({ name, wasmPath, initArg, initCandid, wasmMemoryLimit }) => {
    const [, code] = /^\(exit (\d+)\)$/.exec(initArg ?? '') ?? [];
    if (code !== undefined) process.exit(Number(code));
    try {
      const arg = Buffer.from(getWasmBindings().encode_candid_args(initArg ?? '()', initCandid)).toString('utf8');
      return { name, wasmPath, told: { arg, limit: wasmMemoryLimit, verbose, mocPath, cwd: process.cwd() } };
    } catch (error) {
      throw new Error(`Invalid initArg for canister ${name}: ${error.message}`, { cause: error });
    }
  });
  const refused = [];
  for (const { name, wasmPath, told } of orders) {
    console.log('check deploy canister', name);
    const reason = await install(name, wasmPath, told);
    if (reason !== undefined) refused.push(`Canister: ${name}`, reason);
  }
  if (refused.length > 0) throw new Error(['PocketIC deployment check failed', ...refused].join('\n'));
}

async function install(name, wasmPath, told) {
  const { MOPS_POCKET_IC_URL: url, XDG_CACHE_HOME = '' } = process.env;
  if (url === undefined) {
    const [, pin] = /^pocket-ic = "(.*)"$/m.exec(readFileSync('mops.toml', 'utf8'));
    const program = pin.startsWith('.') ? pin : join(XDG_CACHE_HOME, 'mops/pocket-ic', pin, 'pocket-ic');
    const { status, stderr } = spawnSync(program, [wasmPath], { encoding: 'utf8' });
    return status === 0 ? undefined : stderr;
  }
  const headers = { told: encodeURIComponent(JSON.stringify(told)) };
  const response = await globalThis.fetch(`${url}/${name}`, { method: 'POST', headers, body: readFileSync(wasmPath) });
  return response.ok ? undefined : await response.text();
}
