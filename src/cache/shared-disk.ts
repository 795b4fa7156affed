import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sight } from './sights.ts';

/**
 * Whether something that was seen lies on a disk that other machines write to, or that is handed in from outside. What
 * this machine knows of such a file's times may be seconds old (acregmin of nfs(5), `-o attr_timeout` of FUSE), though
 * to open it gives the newest bytes. Throws nothing: what cannot be asked counts as shared.
 */
export function liesOnSharedDisk(sights: readonly Sight[]): boolean {
  const pathOn = new Map<number, string>(); // one for each device
  for (const [kind, path, device] of sights) {
    if (kind === 'file' || kind === 'own' || kind === 'blob') pathOn.set(device, dirname(path));
  }
  return [...pathOn.values()].some(isShared);
}

function isShared(dir: string): boolean {
  try {
    return SHARED.has(statfsSync(dir).type >>> 0);
  } catch {
    return true;
  }
}

/** Linux's numbers of file systems (statfs(2), linux/magic.h). */
const SHARED: ReadonlySet<number> = new Set([
  0x6969, // NFS
  ...[0x517b, 0xfe534d42, 0xff534d42], // SMB
  0x65735546, // FUSE: virtiofs, sshfs, the folders that a virtual machine's host shares
  ...[0x01021997, 0x786f4256, 0xbacbacbc], // 9p, VirtualBox, VMware
  ...[0x00c36400, 0x0bd00bd0, 0x47504653, 0x5346414f], // Ceph, Lustre, GPFS, AFS
]);
