// Preloaded: writes the most memory that the process held, in KiB, to the file PEAK_FILE when it ends.
'use strict';
process.on('exit', () => {
  require('node:fs').writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS));
});
