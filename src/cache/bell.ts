import { createConnection, createServer, type Socket } from 'node:net';
import { seal, unseal } from './sealed.ts';

/**
 * How a holder wakes those who wait for it. They connect to its local socket; the connection ends when the holder is
 * done and, because the system closes it, also when the holder is killed. Both are noticed within milliseconds.
 */
export interface Bell {
  /** Ends all connections, after giving each the news, if any. Never throws. */
  ring(news: string | undefined): Promise<void>;
}

/** `rang`: the holder is done or dead. `silent`: it was there all the time. `none`: there is no bell to listen to. */
export type Heard = { readonly kind: 'rang'; readonly news: string | undefined } | { readonly kind: 'silent' | 'none' };

/** Hangs a bell, or gives undefined where the system does not let us. It keeps no process alive. */
export function hangBell(path: string): Promise<Bell | undefined> {
  return new Promise((resolve) => {
    const listeners = new Set<Socket>();
    const server = createServer((listener) => {
      listeners.add(listener.unref());
      listener.on('error', () => listener.destroy());
      listener.on('close', () => listeners.delete(listener));
    });
    server.on('error', () => resolve(undefined));
    server.unref().listen(path, () =>
      resolve({
        async ring(news) {
          // Whoever has just connected is let in first, to get the news too.
          if (news !== undefined) await new Promise((next) => setImmediate(() => setImmediate(next)));
          await Promise.all([...listeners].map((listener) => farewell(listener, news)));
          server.close();
        },
      }),
    );
  });
}

/** Listens until the bell rings, the signal is aborted, or for `limitMs` milliseconds. */
export function listenTo(path: string, limitMs: number, signal: AbortSignal | undefined): Promise<Heard> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const connection = createConnection(path);
    let heard: Heard = { kind: 'none' };
    const stop = () => {
      if (heard.kind === 'rang') heard = { kind: 'silent' };
      connection.destroy();
    };
    const timer = setTimeout(stop, limitMs);
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
    connection.on('connect', () => (heard = { kind: 'rang', news: undefined }));
    connection.on('data', (piece) => pieces.push(piece));
    connection.on('error', () => undefined); // 'close' follows
    connection.on('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve(heard.kind === 'rang' ? { kind: 'rang', news: unseal(Buffer.concat(pieces).toString('utf8')) } : heard);
    });
  });
}

const FAREWELL_MS = 1_000;

/** Sends the news and ends. A listener that does not take them (a stopped process) is not waited for. */
function farewell(listener: Socket, news: string | undefined): Promise<void> {
  if (news === undefined) {
    listener.destroy();
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => listener.destroy(), FAREWELL_MS);
    listener.ref().on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    listener.resume().end(seal(news));
  });
}
