import { appendFileSync } from 'node:fs';

/** Appends a line of JSON. The log is for whoever asked for it; trouble with it is no reason to stop. */
export function appendLog(file: string, line: object): void {
  try {
    appendFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
  } catch {
    // the build matters more
  }
}
