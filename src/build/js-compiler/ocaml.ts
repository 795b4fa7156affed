/** OCaml's values as js_of_ocaml lays them out: a block is an array whose first element is its tag. */
export type Value = number | string | object | readonly [tag: number, ...fields: unknown[]];

/** A mutable cell. */
export type Ref = [tag: number, content: Value];

/** The empty list, `None`, `false` and `()`. */
export const NOTHING = 0;

export function some(value: Value): Value {
  return [0, value];
}

export function tuple(...fields: readonly Value[]): Value {
  return [0, ...fields];
}

export function listOf(values: readonly Value[]): Value {
  return values.reduceRight<Value>((tail, head) => [0, head, tail], NOTHING);
}

export function elementsOf(list: Value): readonly Value[] {
  const elements: Value[] = [];
  for (let rest = list; Array.isArray(rest); rest = (rest as readonly Value[])[2] ?? NOTHING) {
    elements.push((rest as readonly Value[])[1] ?? NOTHING);
  }
  return elements;
}

/** OCaml's strings are bytes, one to a character. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A thrown OCaml exception: its name, and its arguments where they are texts and numbers. Undefined for anything else. */
export function exceptionOf(thrown: unknown): { readonly name: string; readonly text: string } | undefined {
  if (!Array.isArray(thrown)) return undefined;
  const [tag, first, second] = thrown as readonly unknown[];
  // Tag 248 marks the exception itself, one without an argument; else the exception is the first field.
  const name: unknown = tag === 248 ? first : Array.isArray(first) ? (first as readonly unknown[])[1] : undefined;
  if (typeof name !== 'string') return undefined;
  const fields: readonly unknown[] = Array.isArray(second) ? second.slice(1) : [second];
  const text = fields.map((field) =>
    typeof field === 'string' ? textOf(field) : typeof field === 'number' ? field : '',
  );
  return { name, text: text.join(' ').trim() };
}
