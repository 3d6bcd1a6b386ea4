// @vitest-environment jsdom
import { act, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { KEPT_AT } from '@/lib/offline';
import { makeStatus } from '@/test/fixtures';
import { type Answers, openPage } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

const AT = Date.parse('2026-11-21T13:05:00Z');
let isReached = false;

/** The status from the server, or as the service worker kept it. */
const answers: Answers = {
  '/api/v1/status': () => (isReached ? makeStatus() : Response.json(makeStatus(), { headers: { [KEPT_AT]: new Date(AT).toISOString() } })),
};

beforeEach(() => {
  isReached = false;
  vi.useFakeTimers({ now: AT + 23 * 60_000, toFake: ['Date', 'setInterval', 'clearInterval'] });
  vi.stubEnv('TZ', 'UTC');
  vi.stubGlobal('fetch', async () => (isReached ? new Response('') : Promise.reject(new TypeError('not reached'))));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test('what was kept is shown with its age, which grows, until the server answers again', async () => {
  openPage('/grid/ny', answers);
  expect(await screen.findByText(/^Offline: as of \d\d:05, 23\smin ago$/)).toBeVisible();
  expect(await screen.findByRole('heading', { name: /New York/ })).toBeVisible();
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(screen.getByText(/, 24\smin ago$/)).toBeVisible();
  isReached = true;
  await act(() => vi.advanceTimersByTimeAsync(10_000));
  await waitFor(() => expect(screen.queryByText(/Offline/)).toBeNull());
  expect(screen.getByRole('heading', { name: /New York/ })).toBeVisible();
});

test('an answer of another day is named with its day', async () => {
  vi.setSystemTime(AT + 26 * 3_600_000);
  openPage('/grid/ny', answers);
  expect(await screen.findByText(/^Offline: as of Sat 21 Nov, \d\d:05, 26\sh ago$/)).toBeVisible();
});

test('when the network comes back, everything on the page is asked for at once', async () => {
  const requests = openPage('/grid/ny', answers);
  await screen.findByText(/^Offline/);
  isReached = true;
  const before = requests.length;
  act(() => void window.dispatchEvent(new Event('online')));
  await waitFor(() => expect(screen.queryByText(/Offline/)).toBeNull());
  expect(requests.slice(before)).toEqual(expect.arrayContaining(['GET /api/v1/status', 'GET /api/v1/grid/ny/forecast']));
});
