import { readFileSync } from 'node:fs';

/** Which start of the host this is; empty where the system does not tell. */
export function bootHere(): string {
  boot ??= readBoot();
  return boot;
}

let boot: string | undefined;

function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
