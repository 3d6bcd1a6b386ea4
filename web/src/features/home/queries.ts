import { queryOptions } from '@tanstack/react-query';

import { homeInsights } from '@/client';
import { unwrap } from '@/lib/problem';

const FIVE_MINUTES_MS = 300_000;

/** What is worth knowing about the last weeks; days, not seconds, change it. */
export const insightsQuery = (home: string) =>
  queryOptions({
    queryKey: ['homes', home, 'insights'],
    queryFn: ({ signal }) => unwrap(homeInsights({ path: { home }, signal })),
    staleTime: FIVE_MINUTES_MS,
    refetchInterval: 2 * FIVE_MINUTES_MS,
  });
