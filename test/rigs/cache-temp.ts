import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of the running test's own, gone when the test is over. A concurrent test gives its own `onFinished`. */
export function tempDir(onFinished: (clean: () => void) => void = onTestFinished): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'cache-')));
  onFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
