// @vitest-environment jsdom
import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { FakeSocket } from '@/test/socket';

import { Gathering, type LiveState, type News, keepLine, liveKeys, waitBefore, withPowers } from './live';

const AT = '2026-11-21T14:20:00.000Z';
const mains = { channel: 'home.flat.power', power_watts: 400, heard_at: '2026-11-21T14:19:50Z', age_seconds: 10, is_late: true };
const kettle = { channel: 'home.flat.kettle.power', power_watts: null, heard_at: null, age_seconds: null, is_late: true };
const USAGE = { at: AT, parts: [mains, kettle, { ...mains, channel: null }] };

function sample(value: number, time = '2026-11-21T14:20:05Z', channel = 'home.flat.power'): News {
  return { type: 'samples', channel, site: 'flat', n_rows: 1, rows: [{ time, measure: 'power', value }] };
}

const readings: News = { type: 'readings', channel: 'home.flat.power', site: 'flat', unit: 'kW', n_rows: 1, rows: [] };

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(Date.parse(AT));
});
afterEach(() => {
  vi.useRealTimers();
});

function line(): { states: LiveState['state'][]; news: News[]; stop: () => void } {
  const states: LiveState['state'][] = [];
  const news: News[] = [];
  const stop = keepLine('flat', { onState: (state) => states.push(state), onNews: (each) => news.push(each) });
  return { states, news, stop };
}

test('a line asks for the news of its site and is live once the server says so', () => {
  const { states, news, stop } = line();
  expect(FakeSocket.last.url).toBe('ws://localhost:3000/api/v1/live');
  FakeSocket.last.accept();
  expect(FakeSocket.last.sent).toEqual([{ type: 'subscribe', sites: ['flat'] }]);
  FakeSocket.last.say(sample(900));
  expect(states).toEqual(['live']);
  expect(news).toEqual([sample(900)]);
  stop();
});

test('a line that is lost is opened again after waits that grow, and from the first wait on once it was live', () => {
  const { states, stop } = line();
  FakeSocket.last.accept();
  FakeSocket.last.close();
  expect(states).toEqual(['live', 'reconnecting']);
  const gaps = [0, 1, 2].map(() => {
    const [n, began] = [FakeSocket.made.length, Date.now()];
    while (FakeSocket.made.length === n) vi.advanceTimersByTime(50);
    FakeSocket.last.close();
    return Date.now() - began;
  });
  expect(gaps[1]).toBeGreaterThan(gaps[0] ?? Infinity);
  expect(gaps[2]).toBeGreaterThan(gaps[1] ?? Infinity);
  vi.advanceTimersByTime(60_000);
  FakeSocket.last.accept();
  FakeSocket.last.close();
  const n = FakeSocket.made.length;
  vi.advanceTimersByTime(1300);
  expect(FakeSocket.made).toHaveLength(n + 1);
  stop();
});

test('waits grow to half a minute and differ from page to page', () => {
  expect([0, 1, 2, 3].map((attempt) => waitBefore(attempt, 0.5))).toEqual([1000, 2000, 4000, 8000]);
  expect(waitBefore(50, 1)).toBe(37_500);
  expect(waitBefore(3, 0)).toBeLessThan(waitBefore(3, 1));
});

test('when the network is back nobody waits out the pause', () => {
  const { states, stop } = line();
  FakeSocket.last.accept();
  window.dispatchEvent(new Event('offline'));
  expect(states).toEqual(['live', 'reconnecting']);
  const n = FakeSocket.made.length;
  window.dispatchEvent(new Event('online'));
  expect(FakeSocket.made).toHaveLength(n + 1);
  stop();
});

function see(state: 'hidden' | 'visible'): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}

test('a page that nobody saw for long opens its line anew, as the old one may have ended without a word', () => {
  const { states, stop } = line();
  FakeSocket.last.accept();
  see('hidden');
  vi.advanceTimersByTime(10_000);
  see('visible');
  expect(states).toEqual(['live']);
  see('hidden');
  vi.advanceTimersByTime(90_000);
  see('visible');
  expect(states).toEqual(['live', 'reconnecting']);
  expect(FakeSocket.made).toHaveLength(2);
  expect(FakeSocket.made[0]?.readyState).toBe(FakeSocket.CLOSED);
  FakeSocket.last.accept();
  expect(states).toEqual(['live', 'reconnecting', 'live']);
  stop();
});

test('what was answered before the line was live is asked for again, what is on its way is not', () => {
  const queries = new QueryClient();
  const { usage, forecast } = liveKeys('flat');
  queries.setQueryData(usage, USAGE);
  const asking = queries.fetchQuery({ queryKey: forecast, queryFn: () => new Promise<number>((resolve) => setTimeout(() => resolve(1), 100)) });
  new Gathering(queries, 'flat').caughtUp();
  expect(queries.getQueryState(usage)?.isInvalidated).toBe(true);
  expect(queries.getQueryState(forecast)?.isInvalidated).toBe(false);
  vi.advanceTimersByTime(100);
  return asking;
});

test('a line that is stopped is not opened again, even if it was not open yet', () => {
  const { states, stop } = line();
  stop();
  expect(FakeSocket.last.readyState).toBe(FakeSocket.CONNECTING);
  FakeSocket.last.accept();
  expect(FakeSocket.last.readyState).toBe(FakeSocket.CLOSED);
  expect(FakeSocket.last.sent).toEqual([]);
  vi.advanceTimersByTime(120_000);
  window.dispatchEvent(new Event('online'));
  expect(FakeSocket.made).toHaveLength(1);
  expect(states).toEqual([]);
});

test('a site that the server does not know yet is asked for again', () => {
  const { states, stop } = line();
  FakeSocket.last.readyState = FakeSocket.OPEN;
  FakeSocket.last.dispatchEvent(new Event('open'));
  FakeSocket.last.say({ type: 'problem', id: null, problem: { title: 'Unknown site', detail: 'flat' } });
  expect(states).toEqual(['reconnecting']);
  vi.advanceTimersByTime(1300);
  expect(FakeSocket.made).toHaveLength(2);
  stop();
});

test('a newer power takes the place of an older one, and only in its own part', () => {
  const powers = new Map([['home.flat.power', { time: '2026-11-21T14:20:05Z', measure: 'power', value: 1200 } as const]]);
  const now = Date.now() + 7000;
  const { parts } = withPowers(USAGE, powers, Date.now(), now);
  expect(parts[0]).toEqual({ ...mains, power_watts: 1200, heard_at: '2026-11-21T14:20:05Z', age_seconds: 2, is_late: false });
  expect(parts.slice(1)).toEqual(USAGE.parts.slice(1));
});

test('what was measured before the power shown changes nothing', () => {
  const powers = new Map([['home.flat.power', { time: '2026-11-21T14:19:40Z', measure: 'power', value: 1200 } as const]]);
  expect(withPowers(USAGE, powers, Date.now(), Date.now()).parts).toEqual(USAGE.parts);
});

function gathering(): { queries: QueryClient; gather: Gathering; asked: string[] } {
  const queries = new QueryClient();
  queries.setQueryData(liveKeys('flat').usage, USAGE);
  const asked: string[] = [];
  vi.spyOn(queries, 'invalidateQueries').mockImplementation(async (filters) => {
    asked.push(String(filters?.queryKey?.at(-1)));
  });
  return { queries, gather: new Gathering(queries, 'flat'), asked };
}

test('powers that come at once are shown together, the newest of each channel', () => {
  const { queries, gather, asked } = gathering();
  for (const second of [5, 7, 6]) gather.take(sample(second * 100, `2026-11-21T14:20:0${second}Z`));
  const shown = (): unknown => queries.getQueryData<typeof USAGE>(liveKeys('flat').usage)?.parts[0]?.power_watts;
  expect(shown()).toBe(400);
  vi.advanceTimersByTime(250);
  expect(shown()).toBe(700);
  expect(asked).toEqual([]);
});

test('however many readings come, an answer is asked for again once, and once more after a while', () => {
  const { gather, asked } = gathering();
  for (let n = 0; n < 1000; n += 1) gather.take(readings);
  vi.advanceTimersByTime(300);
  expect(asked).toEqual(['usage', 'readings', 'forecast']);
  for (let n = 0; n < 1000; n += 1) gather.take(readings);
  vi.advanceTimersByTime(4000);
  expect(asked).toHaveLength(3);
  vi.advanceTimersByTime(1500);
  expect(asked.slice(3)).toEqual(['usage', 'readings']); // a forecast costs more
  vi.advanceTimersByTime(60_000);
  expect(asked.slice(5)).toEqual(['forecast']);
});

test('news that were left out are made up for by asking for all', () => {
  const { gather, asked } = gathering();
  gather.take({ type: 'dropped', n_messages: 12 });
  vi.advanceTimersByTime(300);
  expect(asked).toEqual(['usage', 'readings', 'forecast']);
});
