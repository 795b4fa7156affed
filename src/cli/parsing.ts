/** Arguments that make no sense, and where to read what would. */
export interface Usage {
  readonly kind: 'usage';
  readonly message: string;
  readonly topic: 'build' | 'cache' | 'link';
}

/** What `parse` (node:util's parseArgs) gives, or what is wrong with the arguments, in one line. */
export function parsing<T>(topic: Usage['topic'], parse: () => T): { kind: 'parsed'; value: T } | Usage {
  try {
    return { kind: 'parsed', value: parse() };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    return { kind: 'usage', topic, message: firstSentenceOf(message) };
  }
}

/** Node adds advice on `--` that does not fit here, where `--` passes arguments to moc. */
function firstSentenceOf(message: string): string {
  const sentence = message.split(/[.\n](?:\s|$)/)[0] ?? message;
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
