// Preloaded: writes the most memory that the process held, in KiB, to the file PEAK_FILE when it ends.
'use strict';
process.on('exit', () => {
  require('node:fs').writeFileSync(process.env.PEAK_FILE, String(peakKiB()));
});

/** On Linux what getrusage says begins with what the parent held when it started this process. */
function peakKiB() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(require('node:fs').readFileSync('/proc/self/status', 'latin1'))[1]);
}
