import type { Failure, MigrationProblem, Tool } from '../build/outcome.ts';

/** A failure as lines for people: the thing, the place, the next step. */
export function failureText(failure: Failure): string {
  switch (failure.kind) {
    case 'no-project':
      return `no mops.toml in ${failure.from} or a folder above it\nrun this in a project, or start one with: mops init`;
    case 'bad-toml':
      // Without a line it is the file as a whole that cannot be had.
      return `${at(failure.file, failure.line)}: ${failure.line === undefined ? '' : 'not valid TOML: '}${failure.message}`;
    case 'bad-config':
      return `${at(failure.file, failure.line)}: ${failure.key} must be ${failure.expected}`;
    case 'no-canisters':
      return `${failure.file}: no canister to build\nadd one, for example:\n\n  [canisters]\n  backend = "src/main.mo"`;
    case 'unknown-canister':
      return `mops.toml has no canister ${failure.names.map(quoted).join(', ')}\nit has: ${failure.known.join(', ')}`;
    case 'bad-canister-name':
      return `${failure.file}: ${quoted(failure.name)} cannot be a canister's name, because files are named after it\nuse a name without slashes that does not begin with a dot`;
    case 'no-main':
      return `${failure.file}: canister ${failure.canister} has no main\nadd to [canisters.${failure.canister}]: main = "src/main.mo"`;
    case 'main-missing':
      return `${failure.path}: no such file; it is the main of canister ${failure.canister}\ncorrect main in mops.toml, or create the file`;
    case 'no-toolchain':
      return [
        `${failure.file}: no compiler is pinned`,
        'pin a release:    mops toolchain use moc <version>',
        'or an executable: [toolchain] moc = "./node_modules/.bin/moc-js"',
      ].join('\n');
    case 'compiler-missing':
      return `${failure.path}: no compiler to be had here, where [toolchain] moc = ${quoted(failure.pin)} looks for it\n${failure.detail}\ncorrect the pin in mops.toml, or pin a release: mops toolchain use moc <version>`;
    case 'compiler-unusable':
      return isOutOfHandles(failure.code)
        ? `${failure.path}: cannot be started now (${problemText(failure.code)})\n${MORE_HANDLES}`
        : `${failure.path}: cannot be run as the compiler (${failure.code})\n${failure.detail}\ncorrect [toolchain] moc in mops.toml, or repair what it names`;
    case 'compiler-killed':
      return `${saidText(failure)}the compiler of ${failure.canister} was killed by ${failure.signal}\nit may have run out of memory; try --jobs 1`;
    case 'rejected':
      return rejectedText(failure);
    case 'no-output':
      return `${saidText(failure)}the compiler exited with code 0 but wrote no ${failure.artifact} for ${failure.canister}\nits output may have been too large, or the pinned moc is not a compiler`;
    case 'bad-wasm':
      return `the wasm that the compiler wrote for ${failure.canister} is not valid: ${failure.message}\ncheck the pinned moc: it may be broken`;
    case 'package-missing':
      return `package ${failure.name} (${failure.id}) is not installed in ${failure.dir}\n${failure.detail}\ninstall it with: mops install`;
    case 'bad-lock':
      return `${failure.file}: ${failure.defect}\n--locked builds from a lock file that fits; make one with: mops install`;
    case 'bad-migrations':
      return `${failure.file}: [canisters.${failure.canister}.migrations]: ${migrationText(failure.problem)}`;
    case 'candid-missing':
      return `${failure.path}: no such file; it is the candid of canister ${failure.canister}\ncorrect candid in mops.toml, or create the file`;
    case 'candid-incompatible':
      if (!failure.isCandid)
        return `${failure.path}: not a Candid file that describes a service; it is the candid of canister ${failure.canister}\ncorrect the file, or candid in mops.toml`;
      return `${failure.canister} does not offer what ${failure.path} promises\nchange the program or the Candid file until they are compatible`;
    case 'no-ic-mops':
      return `ic-mops is needed for ${failure.needed}\ninstall it beside moccache: npm install --save-dev ic-mops`;
    case 'tool-not-pinned':
      return `${failure.file}: ${failure.needed} needs ${failure.tool}, and none is pinned\npin one: mops toolchain use ${failure.tool} <version>, or a path: [toolchain] ${failure.tool} = "./${failure.tool}"${failure.tool === 'pocket-ic' ? '\nor use one that runs: MOPS_POCKET_IC_URL' : ''}${withoutText(failure.tool)}`;
    case 'tool-missing':
      return `${failure.path}: no ${failure.tool} to be had here, where [toolchain] ${failure.tool} = ${quoted(failure.pin)} looks for it\n${failure.detail}\ncorrect the pin in mops.toml, or put the program there${withoutText(failure.tool)}`;
    case 'optimizer-unusable':
      return `${failure.path}: cannot be used as wasm-opt: ${failure.detail}\ncorrect [toolchain] wasm-opt in mops.toml, or repair what it names${withoutText('wasm-opt')}`;
    case 'optimizer-rejects':
      return `${failure.stderr === '' ? '' : `${failure.stderr}\n`}wasm-opt fails on ${failure.canister} (exit code ${failure.exitCode}), told ${failure.flags.join(' ')}; its files are left as they were\nchange [optimize] in mops.toml${withoutText('wasm-opt')}`;
    case 'no-scratch':
      return `${failure.path}: the compiler cannot be given a folder to work in here (${problemText(failure.code)})\n${isOutOfHandles(failure.code) ? MORE_HANDLES : 'set TMPDIR, or MOCCACHE_DIR, to a folder that can be written to'}`;
    case 'output-unwritable':
      return `${failure.path}: cannot be written (${problemText(failure.code)})\n${isOutOfHandles(failure.code) ? MORE_HANDLES : 'choose another place with --output, or make this one writable'}`;
    case 'output-busy':
      return `${failure.path}: another build keeps writing these files\nlet it end, or build elsewhere with --output`;
    case 'no-deploy-check':
      return `ic-mops ${failure.version} cannot check deploys, as ${failure.asked} asks for; ic-mops 3 and later can\ninstall one of those, or build without the check: --no-check-deploy`;
    case 'bad-pocket-ic-url':
      return `MOPS_POCKET_IC_URL is ${quoted(failure.url)}, which is not an http or https URL\nset it to where a PocketIC runs, or unset it${withoutText('pocket-ic')}`;
    case 'deploy-refused':
      return `ic-mops's check of the deploy does not pass\n${failure.detail}\nthe files are in place all the same; to build without the check: --no-check-deploy`;
    case 'rebuild-differs':
      return differsText(failure);
    case 'cancelled':
      return 'cancelled';
  }
}

function migrationText(problem: MigrationProblem): string {
  switch (problem.what) {
    case 'apart':
      return `chain (${problem.chain}) and next (${problem.next}) must lie in the same folder\nmove one of them beside the other`;
    case 'absent':
      return `no folder ${problem.chain}; it is the chain\ncreate it with the first migration in it, or correct chain`;
    case 'many-next':
      return `${problem.next} holds ${problem.names.join(', ')}; only one migration can be next\nmove the older ones to the chain`;
    case 'next-first':
      return `${problem.name} is next and would come before ${problem.last}, the last of the chain\nrename it so that it sorts last; names that begin with the time do`;
    case 'flag':
      return `args has --enhanced-migration, which mops build sets itself\ntake it out of args`;
  }
}

/** How to do without a tool. */
function withoutText(tool: Tool): string {
  return tool === 'wasm-opt'
    ? '\nor build without it: --no-optimize'
    : '\nor build without the check: --no-check-deploy';
}

function rejectedText(failure: Extract<Failure, { kind: 'rejected' }>): string {
  return `${saidText(failure)}moc rejects ${failure.canister} (exit code ${failure.exitCode})`;
}

function differsText(failure: Extract<Failure, { kind: 'rebuild-differs' }>): string {
  const { canister, stage, key, artifact, offset, section, sectionOffset, lines, others, replaced } = failure;
  const inSection = sectionOffset === undefined ? section : `byte ${sectionOffset} of its ${section}`;
  const also = others.length === 0 ? '' : `; ${others.join(', ')} differ${others.length === 1 ? 's' : ''} too`;
  const [did, culprit] =
    stage === 'compile'
      ? ['compiling', 'the compiler']
      : stage === 'optimize'
        ? ['optimizing', 'wasm-opt']
        : ['finishing', 'what follows the compiler'];
  return [
    `${canister}: ${did} again gave another ${artifact}: it first differs at byte ${offset}, ${inSection}${also}`,
    ...(lines === undefined ? [] : [`  before: ${quoted(lines.before)}`, `  now:    ${quoted(lines.after)}`]),
    `either ${culprit} is not deterministic, or what was stored under ${key.slice(0, 12)} was wrong`,
    replaced
      ? 'the cache has the new bytes under that key from now on; the files in the output folder were left as they are'
      : 'the cache was left as it is, and so were the files in the output folder',
  ].join('\n');
}

/** How a failure's text begins: with what the compiler said, and where imports lead nowhere. In whole lines, or empty. */
export function saidText(failure: Failure): string {
  switch (failure.kind) {
    case 'rejected': {
      const said = [failure.stderr, failure.stdout].map((text) => text.trimEnd()).filter((text) => text !== '');
      const places = failure.missing.map(
        ({ importer, line, target }) => `${importer}:${line}: no file for "${target}"`,
      );
      return [...said, ...places].map((lines) => `${lines}\n`).join('');
    }
    case 'compiler-killed':
    case 'no-output': {
      const said = failure.diagnostics.trimEnd();
      return said === '' ? '' : `${said}\n`;
    }
    default:
      return '';
  }
}

/** A system's code with what it means for files that are to be written. */
function problemText(code: string): string {
  const meaning = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
  return meaning === undefined ? code : `${meaning}, ${code}`;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'it cannot be written to at all',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EEXIST: 'a file is in the way',
  ENOTDIR: 'a file is in the way',
  EISDIR: 'a folder is in the way',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'no file handle is left',
  ENFILE: 'no file handle is left',
};

const MORE_HANDLES = 'allow more open files, with ulimit -n, or build fewer canisters at once, with --jobs 1';

function isOutOfHandles(code: string): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

function at(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
