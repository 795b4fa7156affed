import { createRequire } from 'node:module';

/** What the compiler's own parser takes for the imports of a text, in order; undefined where it rejects the text. */
export function parsedImportsOf(source: string): readonly string[] | undefined {
  const { code } = compiler.parseMotoko(false, source);
  if (code === undefined || code === null) return undefined;
  const found: string[] = [];
  collect(code, found);
  return found;
}

interface SyntaxNode {
  readonly name?: string;
  readonly args?: readonly unknown[];
}

interface JsCompiler {
  parseMotoko(recover: boolean, source: string): { readonly code?: unknown };
}

function collect(node: unknown, found: string[]): void {
  if (Array.isArray(node)) {
    for (const part of node) collect(part, found);
  } else if (typeof node === 'object' && node !== null) {
    const { name, args = [] } = node as SyntaxNode;
    if (name === 'ImportE') found.push(String(args[0]));
    else collect(args, found);
  }
}

const { compiler } = createRequire(import.meta.url)('motoko') as { readonly compiler: JsCompiler };
