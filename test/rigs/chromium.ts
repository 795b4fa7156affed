import { execFile, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A browser on this machine, or undefined. */
export const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

/** A page in a frame of that width, as a browser shows it. */
export interface Seen {
  /** Of the whole page; greater than the frame where one would have to scroll sideways. */
  readonly scrollWidth: number;
  readonly background: string;
  readonly title: string;
  readonly text: string;
  readonly images: number;
  /** Everything that was asked of the server but the page itself and the frame around it. */
  readonly requests: readonly string[];
}

export interface Look {
  readonly width: number;
  readonly dark: boolean;
}

/** Serves a page to a browser, within this machine, and asks what it looks like there. */
export async function lookAt(html: string, { width, dark }: Look): Promise<Seen> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path !== '/page' && path !== '/' && path !== '/favicon.ico') requests.push(path);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(path === '/page' ? html : path === '/' ? frameOf(width) : '');
  });
  const address = await listen(server);
  try {
    const dump = await run(['--dump-dom', ...(dark ? ['--blink-settings=preferredColorScheme=0'] : []), address]);
    const told = /<pre>([^<]*)<\/pre>/.exec(dump)?.[1];
    if (told === undefined) throw new Error(`the browser shows something else: ${dump.slice(0, 500)}`);
    return { ...(JSON.parse(decodeURIComponent(told)) as Omit<Seen, 'requests'>), requests };
  } finally {
    server.close();
  }
}

/** The page as it is printed. */
export async function print(html: string): Promise<Uint8Array> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(html);
  });
  const address = await listen(server);
  const dir = mkdtempSync(join(tmpdir(), 'chromium-print-'));
  try {
    await run([`--print-to-pdf=${join(dir, 'page.pdf')}`, address]);
    return readFileSync(join(dir, 'page.pdf'));
  } finally {
    server.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function frameOf(width: number): string {
  return `<body><iframe src="/page" style="width:${width}px;height:800px;border:0"></iframe><script>
    addEventListener('load', () => {
      const { document: page } = frames[0];
      const told = {
        scrollWidth: page.documentElement.scrollWidth,
        background: getComputedStyle(page.body).backgroundColor,
        title: page.title,
        text: page.body.innerText,
        images: page.querySelectorAll('img, script').length,
      };
      document.body.innerHTML = '<pre>' + encodeURIComponent(JSON.stringify(told)) + '</pre>';
    });
  </script></body>`;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function run(args: readonly string[]): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const common = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--hide-scrollbars',
    `--user-data-dir=${profile}`,
  ];
  try {
    const { stdout } = await promisify(execFile)(chromium ?? '', [...common, ...args], { maxBuffer: 2 ** 26 });
    return stdout;
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
