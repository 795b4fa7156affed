/**
 * The compiler's JavaScript keeps to itself what its command line needs: the disk (it knows only files put into its
 * memory), the printing of diagnostics, Candid aliases, `-g`, `--release`. Its text is therefore changed in a few
 * places before it is run, each found by names and literals that minifying keeps, and each found exactly once or not
 * used at all. Everything that compiles is left as it is.
 */
export interface Graft {
  readonly name: string;
  readonly pattern: RegExp;
  /** A literal close to the place. To try a pattern that begins with any identifier on all of the text takes long. */
  readonly near?: string;
  /** The text that takes the place of what was found; undefined: only the names in it are wanted. */
  readonly replace?: (found: RegExpExecArray, names: Names) => string;
  /** What the minifier calls the things found here. */
  readonly names?: (found: RegExpExecArray) => Names;
}

export type Names = Readonly<Record<string, string>>;

/** How the changed text calls its host: see `Host` in load.ts. */
export const HOST = '$mocjs';

/** Thrown for a build of the compiler that lacks a place to change, or has more than one like it. */
export class UnknownBuild extends Error {}

/** Changes the compiler's text. Throws UnknownBuild where that is not certain to be right. */
export function graft(source: string, grafts: readonly Graft[] = GRAFTS): string {
  let names: Names = {};
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  for (const place of grafts) {
    const [from, found] = findOnce(source, place);
    names = { ...names, ...place.names?.(found) };
    if (place.replace === undefined) continue;
    edits.push({ from, to: from + found[0].length, text: place.replace(found, names) });
  }
  let text = '';
  let at = 0;
  for (const edit of edits.sort((a, b) => a.from - b.from)) {
    text += source.slice(at, edit.from) + edit.text;
    at = edit.to;
  }
  return text + source.slice(at);
}

function findOnce(source: string, { name, pattern, near }: Graft): readonly [from: number, found: RegExpExecArray] {
  let from = 0;
  let part = source;
  if (near !== undefined) {
    const at = source.indexOf(near);
    if (at < 0 || source.includes(near, at + 1)) throw new UnknownBuild(name);
    from = Math.max(0, at - NEAR);
    part = source.slice(from, at + NEAR);
  }
  const [found, other] = part.matchAll(pattern);
  if (found === undefined || other !== undefined) throw new UnknownBuild(name);
  return [from + found.index, found];
}

/** How far the ends of a place may be from the literal near it, in characters. */
const NEAR = 400;

/** A pattern in which `NAME` stands for a JavaScript identifier, and `(NAME)` for one that is wanted. */
function like(template: TemplateStringsArray): RegExp {
  return new RegExp((template.raw[0] ?? '').replaceAll('NAME', '[\\w$]+'), 'g');
}

/** The text of `version` as the compiler's text gives it, without running it. */
export function versionIn(source: string): string | undefined {
  const name = /[{,]version:([\w$]+),setProjectRoot:/.exec(source)?.[1];
  if (name === undefined) return undefined;
  const at = source.indexOf(`${name}="`);
  return at < 0 ? undefined : source.slice(at + name.length + 2, source.indexOf('"', at + name.length + 2));
}

const GRAFTS: readonly Graft[] = [
  {
    name: 'raising Sys_error',
    pattern: like`function (NAME)\((NAME)\)\{NAME\(NAME\.Sys_error,NAME\(\2\)\)\}`,
    names: ([, sysError = '']) => ({ sysError }),
  },
  {
    // Every access to a file asks here which device holds the path. There is now one, the disk, and it gets the path
    // as the compiler wrote it, not folded against a made-up current directory.
    name: 'the device that holds a path',
    pattern: like`function NAME\((NAME)\)\{(?=for\(var NAME,NAME=function\((NAME)\)\{\2=(NAME)\(\2\),NAME\(\2\)\|\|\(\2=NAME\+\2\))`,
    names: ([, , , toText = '']) => ({ toText }),
    replace: ([whole, path = '', , toText = '']) => `${whole}return{device:${HOST}.disk,rest:${toText}(${path})};`,
  },
  {
    name: 'settings of the JavaScript build',
    near: '[0,"idl/"]',
    pattern: like`NAME\[1\]=1,NAME\[1\]=0,(NAME)\[1\]=0,(NAME)\[1\]=\[0,"idl/"\],NAME\[1\]=4(?=[;,}])`,
    names: ([, debugInfo = '', actorIdl = '']) => ({ debugInfo, actorIdl }),
  },
  {
    name: 'addPackage',
    pattern: like`addPackage:NAME\(function\(NAME,(NAME),(NAME)\)\{return (NAME)\[1\]=(NAME)\[2\]\.call\(null,(NAME)\(\1\),\5\(\2\),\3\[1\]\)`,
    names: ([, , , , map = '', toBytes = '']) => ({ map, toBytes }),
  },
  {
    name: 'setActorAliases',
    pattern: like`function (NAME)\((NAME)\)\{return\[0,\2\[1\],\[1,\[0,\2\[2\],0\]\]\]\}return (NAME)\[1\]=NAME\[\d+\]\.call\(null,`,
    names: ([, , , aliases = '']) => ({ aliases }),
  },
  {
    name: 'printing of diagnostics',
    pattern: like`run:NAME\(function\(NAME,(NAME),NAME\)\{NAME\[1\]=0;var NAME=NAME\(0,function\(NAME\)\{var NAME=(NAME)\(NAME\(0,NAME,`,
    names: ([, , printAll = '']) => ({ printAll }),
  },
  {
    name: 'the streams of printing',
    near: '{stdout:',
    pattern: like`(NAME)=(NAME)\((NAME)\),(NAME)=\2\((NAME)\);return (NAME)\(\3\),\6\(\5\),\{stdout:\1,stderr:\4,result:`,
    names: ([, , contents = '', stdout = '', , stderr = '', clear = '']) => ({ contents, stdout, stderr, clear }),
  },
  {
    // The list of diagnostics loses its labels and notes on its way to JavaScript: it is kept here as it is.
    name: 'diagnostics of a call',
    pattern: like`(function NAME\((NAME)\)\{)(?=return NAME\(NAME\(NAME,\2\)\)\}function NAME\(NAME\)\{return 0===NAME\[0\]\?NAME\(NAME\[1\]\):\{name:)`,
    replace: ([, head = '', list = '']) => `${head}${HOST}.diagnostics=${list};`,
  },
  {
    // As the command line does it: several files share one scope, and there is no recovery from syntax errors.
    name: 'check',
    pattern: like`(check:NAME\(function\(NAME,(NAME)\)\{return NAME\[1\]=0,NAME\(0,function\(NAME\)\{var (NAME)=)\[0,(NAME)\(\2\),0\],(NAME)=(NAME)\(0,NAME\[1\]\?NAME:(NAME),\3,`,
    replace: ([, head = '', files = '', list = '', toBytes = '', result = '', check = '', parse = '']) =>
      `${head}${HOST}.listOf(${files}.map(${toBytes})),${result}=${check}(0,${parse},${list},`,
  },
  {
    name: 'candid',
    near: ')[18].call(null,',
    pattern: like`NAME=NAME\((NAME)\(\[0,\[0,(NAME)\[3\]\[2\]\]\]\)\[18\]\.call\(null,\2\)\);return\{diagnostics`,
    names: ([, candidWriter = '']) => ({ candidWriter }),
  },
  {
    // The command line writes doc comments into the .did; so the one compile gives all outputs.
    name: 'Candid text of a compile',
    near: '{wasm:',
    pattern: like`(NAME)=NAME\((NAME)\),(NAME=NAME\(NAME\)\[2\],NAME=\{wasm:)`,
    replace: ([, text = '', program = '', rest = ''], { candidWriter = '' }) =>
      `${text}=${candidWriter}([0,[0,${program}[3][2]]])[18].call(null,${program}),${rest}`,
  },
  {
    // Desugaring of `debug`: an empty tuple in its place is all that --release does in this compiler.
    name: 'debug expressions',
    pattern: like`return ((NAME)\((NAME)\[1\]\)\[2\]);case \d+:break NAME;case \d+:return\[0,\[0,\[10,\3\[1\]\],\[0,\2\(\3\[2\]\),0\]\]\]`,
    replace: ([whole, kept = '']) => whole.replace(kept, () => `${HOST}.release?[0,[0,0,0]]:${kept}`),
  },
  {
    name: 'the end',
    near: '.Motoko=',
    pattern: like`NAME\.Motoko=`,
    replace: ([whole], n) => {
      const inner = [
        'sysError',
        'toBytes',
        'debugInfo',
        'actorIdl',
        'aliases',
        'printAll',
        'contents',
        'stdout',
        'stderr',
        'clear',
      ];
      return `${HOST}.inner={${inner.map((name) => `${name}:${n[name] ?? ''}`).join()},addTo:${n.map ?? ''}[2]},${whole}`;
    },
  },
];
