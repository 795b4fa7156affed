/** What one side has and the other has not: `- ` upstream's lines, `+ ` ours; `~ ` where only the order differs. */
export function differencesBetween(upstream: readonly string[], ours: readonly string[]): readonly string[] {
  const theirs = split(upstream, ours);
  const own = split(ours, upstream);
  const inOrder = theirs.common.every((line, index) => line === own.common[index]);
  return [
    ...theirs.only.map((line) => `- ${line}`),
    ...own.only.map((line) => `+ ${line}`),
    ...(inOrder ? [] : ['~ the order of lines']),
  ];
}

/** Lines that the others have too, as often, and the rest. */
function split(lines: readonly string[], others: readonly string[]) {
  const left = [...others];
  const common: string[] = [];
  const only: string[] = [];
  for (const line of lines) {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    (at === -1 ? only : common).push(line);
  }
  return { common, only };
}

/** Differences that no pattern foresees, and patterns that nothing matched. A pattern is the beginning of a line. */
export function unforeseen(differences: readonly string[], patterns: readonly string[]): readonly string[] {
  return [
    ...differences.filter((line) => !patterns.some((pattern) => line.startsWith(pattern))),
    ...patterns
      .filter((pattern) => !differences.some((line) => line.startsWith(pattern)))
      .map((pattern) => `expected, and not so: ${pattern}`),
  ];
}
