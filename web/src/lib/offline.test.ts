import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { expect, test, vi } from 'vitest';

import { askAgain } from '@/lib/offline';

test('asking again does not cancel the answer that a page about to open waits for', async () => {
  const queries = new QueryClient();
  const opening = queries.ensureQueryData({
    queryKey: ['status'],
    queryFn: ({ signal: _cancelled }) => new Promise<string>((resolve) => setTimeout(() => resolve('here'), 20)),
  });
  const asked = askAgain(queries);
  await expect(opening).resolves.toBe('here');
  await asked;
});

test('a page that was drawn and does not watch its answer yet keeps it, and it is asked for anew', async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  queries.setQueryData(['forecast'], 'old');
  await askAgain(queries);
  const page = new QueryObserver(queries, { queryKey: ['forecast'], queryFn: () => Promise.resolve('new') });
  expect(page.getCurrentResult().data).toBe('old');
  const stop = page.subscribe(() => undefined);
  await vi.waitFor(() => expect(page.getCurrentResult().data).toBe('new'));
  stop();
});

test.each(['watched', 'waited for'])('an answer that was on its way and %s is asked for once more, so that the worker can keep it', async (how) => {
  const queries = new QueryClient();
  const answers: (() => void)[] = [];
  const options = { queryKey: ['status'], queryFn: () => new Promise<number>((resolve) => answers.push(() => resolve(answers.length))) };
  const stop = how === 'watched' ? new QueryObserver(queries, options).subscribe(() => undefined) : () => undefined;
  if (how === 'waited for') void queries.ensureQueryData(options);
  expect(answers).toHaveLength(1);
  const asked = askAgain(queries);
  answers[0]?.();
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.();
  await asked;
  expect(queries.getQueryData(['status'])).toBe(2);
  stop();
});
