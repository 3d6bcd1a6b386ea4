import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { homeForecast, readings } from '@/client';
import { liveKeys } from '@/lib/live';
import { unwrap } from '@/lib/problem';

import { AHEAD_HOURS } from './ahead';

const FIVE_MINUTES_MS = 300_000;
const MOST_READINGS = 100_000;

/** Today and tomorrow of a home or of a device in it, from the latest readings. */
export const aheadQuery = (home: string, device?: string) =>
  queryOptions({
    queryKey: [...liveKeys(home).forecast, AHEAD_HOURS, device ?? null],
    queryFn: ({ signal }) => unwrap(homeForecast({ path: { home }, query: { hours: AHEAD_HOURS, ...(device === undefined ? {} : { device: [device] }) }, signal })),
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
