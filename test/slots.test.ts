import { expect, test } from 'vitest';
import { longestFirst, slots } from '../src/build/slots.ts';

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((done) => (open = done));
  return { open, opened };
}

test('no more run at once than there are places, and all of them run', async () => {
  const places = slots(2);
  const gates = Array.from({ length: 5 }, gate);
  let running = 0;
  let most = 0;
  const works = gates.map(({ opened }) =>
    places.use(async () => {
      running += 1;
      most = Math.max(most, running);
      await opened;
      running -= 1;
    }),
  );
  for (const { open } of gates) open();
  await Promise.all(works);
  expect([most, running]).toEqual([2, 0]);
});

test('a failure gives its place free', async () => {
  const places = slots(1);
  await expect(places.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await places.use(() => Promise.resolve('next'))).toBe('next');
});

test('whoever hears of a failure can stop those who wait for the place', async () => {
  const places = slots(1);
  const stop = new AbortController();
  const failing = places.use(() => Promise.reject(new Error('no')));
  let started = false;
  const next = places.use(() => Promise.resolve((started = true)), stop.signal);
  await failing.catch(async () => {
    await Promise.resolve(); // the news travels a few promises
    stop.abort();
  });
  await expect(next).rejects.toThrow(/abort/);
  expect(started).toBe(false);
});

test('whoever gives up while waiting takes no place', async () => {
  const places = slots(1);
  const { open, opened } = gate();
  const first = places.use(() => opened);
  const stop = new AbortController();
  const second = places.use(() => Promise.resolve('never'), stop.signal);
  const third = places.use(() => Promise.resolve('third'));
  stop.abort();
  await expect(second).rejects.toThrow(/abort/);
  open();
  await first;
  expect(await third).toBe('third');
});

test('of those that wait the longest known goes first, and before it what may take any time', async () => {
  const places = slots(1);
  const { open, opened } = gate();
  const order: string[] = [];
  const ask = (name: string, expectedMs?: number) =>
    places.use(() => Promise.resolve(order.push(name)), undefined, expectedMs);
  const all = [places.use(() => opened), ask('short', 10), ask('long', 900), ask('new'), ask('long too', 900)];
  open();
  await Promise.all(all);
  expect(order).toEqual(['new', 'long', 'long too', 'short']);
});

test('canisters begin with the longest known, and those of which nothing is known before it, in their order', () => {
  expect(longestFirst([5, undefined, 7, undefined, 7])).toEqual([1, 3, 2, 4, 0]);
});
