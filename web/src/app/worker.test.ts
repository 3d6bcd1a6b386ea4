import { readFileSync } from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';

/** The service worker among made-up caches and a made-up network. */
class FakeCache {
  kept = new Map<string, Response>();
  async match(key: Request | string): Promise<Response | undefined> {
    return this.kept.get(urlOf(key))?.clone();
  }
  async put(key: Request | string, response: Response): Promise<void> {
    this.kept.set(urlOf(key), response);
  }
  async delete(key: Request | string): Promise<boolean> {
    return this.kept.delete(urlOf(key));
  }
  async keys(): Promise<Request[]> {
    return [...this.kept.keys()].map((url) => new Request(url));
  }
  async addAll(): Promise<void> {
    await this.put(`${ORIGIN}/index.html`, new Response('the app'));
  }
}

const ORIGIN = 'http://watthour.test';
const STATUS = `${ORIGIN}/api/v1/status`;
const urlOf = (key: Request | string): string => (typeof key === 'string' ? new URL(key, ORIGIN).href : key.url);
const json = (body: unknown, status = 200, headers = {}): Response => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });

let stores: Map<string, FakeCache>;
let network: (request: Request) => Response | Promise<Response>;
let unregister: ReturnType<typeof vi.fn<() => void>>;
let listeners: Record<string, (event: object) => void>;

beforeEach(async () => {
  stores = new Map();
  listeners = {};
  unregister = vi.fn<() => void>();
  const open = async (name: string): Promise<FakeCache> => {
    const found = stores.get(name) ?? new FakeCache();
    stores.set(name, found);
    return found;
  };
  const caches = { open, keys: async () => [...stores.keys()], delete: async (name: string) => stores.delete(name), match: async () => undefined };
  const self = {
    location: { origin: ORIGIN },
    registration: { unregister },
    skipWaiting: async () => {},
    clients: { claim: async () => {} },
    addEventListener: (type: string, listener: (event: object) => void) => {
      listeners[type] = listener;
    },
  };
  const text = readFileSync(new URL('../../public/sw.js', import.meta.url), 'utf8');
  // oxlint-disable-next-line no-new-func -- the worker is a script of its own, not a module
  new Function('self', 'caches', 'fetch', text)(self, caches, async (request: Request) => network(request));
  await send('install');
});

async function send(type: string, event: object = {}): Promise<Response | undefined> {
  const waited: Promise<unknown>[] = [];
  let answer: Promise<Response> | undefined;
  listeners[type]?.({ ...event, waitUntil: (work: Promise<unknown>) => waited.push(work), respondWith: (given: Promise<Response>) => (answer = given) });
  const response = await answer;
  await Promise.all(waited);
  return response;
}

const ask = (url: string, init: RequestInit = {}, mode = 'cors'): Promise<Response | undefined> => {
  const request = new Request(url, init);
  Object.defineProperty(request, 'mode', { value: mode });
  return send('fetch', { request });
};
const lost = (): never => {
  throw new TypeError('no network');
};
const answers = (): string[] => [...(stores.get('watthour-answers')?.kept.keys() ?? [])];

test('what was answered is given again only when the server is not reached, with its instant', async () => {
  network = () => json({ now: 1 });
  expect((await ask(STATUS))?.headers.has('X-Watthour-Kept-At')).toBe(false);
  network = lost;
  const kept = await ask(STATUS);
  expect(await kept?.json()).toEqual({ now: 1 });
  expect(Date.parse(kept?.headers.get('X-Watthour-Kept-At') ?? '')).toBeGreaterThan(0);
  network = () => json({ now: 2 });
  expect(await (await ask(STATUS))?.json()).toEqual({ now: 2 });
});

test('a gateway that does not reach the server counts as no network; a problem of the server is shown as it is', async () => {
  network = () => json({ now: 1 });
  await ask(STATUS);
  network = () => new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'Content-Type': 'text/html' } });
  expect(await (await ask(STATUS))?.json()).toEqual({ now: 1 });
  network = () => json({ title: 'Busy' }, 503, { 'Content-Type': 'application/problem+json' });
  expect((await ask(STATUS))?.status).toBe(503);
});

test('nothing but GET is looked at, and nothing of another origin', async () => {
  network = () => json({});
  expect(await ask(`${ORIGIN}/api/v1/readings`, { method: 'POST', body: '{}' })).toBeUndefined();
  expect(await ask('http://elsewhere.test/api/v1/status')).toBeUndefined();
  expect(await ask(`${ORIGIN}/docs`, {}, 'navigate')).toBeUndefined();
});

test('what carries a key, is no JSON, or is not to be stored is not kept', async () => {
  network = () => json({});
  await ask(STATUS, { headers: { 'X-API-Key': 'secret' } });
  await ask(STATUS, { headers: { Authorization: 'Bearer secret' } });
  network = () => json({}, 200, { 'Cache-Control': 'no-store' });
  await ask(STATUS);
  network = () => new Response('time,value', { headers: { 'Content-Type': 'text/csv' } });
  await ask(STATUS);
  network = () => json('x'.repeat(1_000_001));
  await ask(STATUS);
  expect(answers()).toEqual([]);
});

test('where the key is asked for, everything that was kept is forgotten and the worker steps aside', async () => {
  network = () => json({});
  await ask(STATUS);
  network = () => json({ title: 'Key needed' }, 401);
  expect((await ask(`${ORIGIN}/home`, {}, 'navigate'))?.status).toBe(401);
  expect(answers()).toEqual([]);
  expect(unregister).toHaveBeenCalledOnce();
});

test('what is gone is forgotten', async () => {
  network = () => json({});
  await ask(STATUS);
  network = () => json({ title: 'Unknown name' }, 404, { 'Content-Type': 'application/problem+json' });
  await ask(STATUS);
  expect(answers()).toEqual([]);
});

test('without a network every page is the app, as it was installed', async () => {
  network = lost;
  expect(await (await ask(`${ORIGIN}/devices/flat/kettle`, {}, 'navigate'))?.text()).toBe('the app');
});

test('a server that neither answers nor refuses counts as not reached', async () => {
  network = () => json({ now: 1 });
  await ask(STATUS);
  network = () => new Promise(() => {});
  vi.useFakeTimers();
  const page = ask(`${ORIGIN}/home`, {}, 'navigate');
  const kept = ask(STATUS);
  await vi.advanceTimersByTimeAsync(20_000);
  vi.useRealTimers();
  expect(await (await page)?.text()).toBe('the app');
  expect((await kept)?.headers.has('X-Watthour-Kept-At')).toBe(true);
});

test('only the newest answers stay', async () => {
  network = () => json({});
  // oxlint-disable-next-line no-await-in-loop -- their order is what is tested
  for (let n = 0; n < 205; n += 1) await ask(`${STATUS}?n=${n}`);
  expect(answers().length).toBe(200);
  expect(answers()[0]).toBe(`${STATUS}?n=5`);
});
