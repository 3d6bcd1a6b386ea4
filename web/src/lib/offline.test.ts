import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';

import { askAgain } from '@/lib/offline';

test('asking again does not cancel the answer that a page about to open waits for', async () => {
  const queries = new QueryClient();
  const opening = queries.ensureQueryData({
    queryKey: ['status'],
    queryFn: ({ signal: _cancelled }) => new Promise<string>((resolve) => setTimeout(() => resolve('here'), 20)),
  });
  queries.setQueryData(['left page'], 'old');
  await askAgain(queries);
  await expect(opening).resolves.toBe('here');
  expect(queries.getQueryData(['left page'])).toBeUndefined();
});
