import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { homeForecast, homeInsights, readings } from '@/client';
import { AHEAD_HOURS } from '@/charts/day/ahead';
import { liveKeys } from '@/lib/live';
import { unwrap } from '@/lib/problem';

const FIVE_MINUTES_MS = 300_000;
const MOST_READINGS = 100_000;

/** Today and tomorrow, from the latest readings. */
export const aheadQuery = (home: string) =>
  queryOptions({
    queryKey: [...liveKeys(home).forecast, AHEAD_HOURS],
    queryFn: ({ signal }) => unwrap(homeForecast({ path: { home }, query: { hours: AHEAD_HOURS }, signal })),
    refetchInterval: FIVE_MINUTES_MS,
  });

/** What was measured of some local days. */
export const readingsQuery = (home: string, channel: string, first: string, last: string) =>
  queryOptions({
    queryKey: [...liveKeys(home).readings, channel, first, last],
    queryFn: ({ signal }) => unwrap(readings({ query: { channel, start: first, end: last, limit: MOST_READINGS }, signal })),
    refetchInterval: FIVE_MINUTES_MS,
    placeholderData: keepPreviousData,
  });

/** What is worth knowing about the last weeks; days, not seconds, change it. */
export const insightsQuery = (home: string) =>
  queryOptions({
    queryKey: ['homes', home, 'insights'],
    queryFn: ({ signal }) => unwrap(homeInsights({ path: { home }, signal })),
    staleTime: FIVE_MINUTES_MS,
    refetchInterval: 2 * FIVE_MINUTES_MS,
  });
