/** What a check found: `wrong` costs correctness, builds or all of the cache's use; `note` is worth knowing. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'wrong' | 'skipped';
  readonly says: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Runs checks of one name; what the system refuses is a finding too. */
export function found(check: string, look: () => readonly Omit<Finding, 'check'>[]): readonly Finding[] {
  try {
    return look().map((finding) => ({ check, ...finding }));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error; // a bug, not the system
    return [{ check, state: 'wrong', says: message }];
  }
}
