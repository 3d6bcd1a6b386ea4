import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { carbonBestWindow, carbonCurrent, carbonForecast, carbonHistory, carbonTrend } from '@/client';
import { liveKeys } from '@/lib/live';
import { unwrap } from '@/lib/problem';

const FIVE_MINUTES_MS = 300_000;
const HALF_MINUTE_MS = 30_000;
export const HOURS = 96;

/** What was never answered, as a slow server may be late with its first answer, is asked for again soon. */
const untilAnswered = (everyMs: number) => ({ refetchInterval: ({ state }: { state: { data: unknown } }) => (state.data === undefined ? HALF_MINUTE_MS : everyMs) });

/** Under the keys that the live line brings up to date when a forecast or a reading of the region comes in. */
const keyOf = (region: string, ...rest: readonly (string | number)[]) => [...liveKeys(region).forecast, 'carbon', ...rest];

/** All hours that are forecast, with how good such forecasts have been. */
export const forecastQuery = (region: string) =>
  queryOptions({
    queryKey: keyOf(region, 'ahead'),
    queryFn: ({ signal }) => unwrap(carbonForecast({ path: { region }, query: { hours: HOURS }, signal })),
    ...untilAnswered(FIVE_MINUTES_MS),
    placeholderData: keepPreviousData,
  });

/** Whether the next hours are cleaner or dirtier. */
export const trendQuery = (region: string) =>
  queryOptions({
    queryKey: keyOf(region, 'trend'),
    queryFn: ({ signal }) => unwrap(carbonTrend({ path: { region }, signal })),
    ...untilAnswered(FIVE_MINUTES_MS),
  });

export interface Wish {
  /** Such as `3h`. */
  duration: string;
  /** `24h`: so many hours from now on; `07:00`: the next time it is so late. */
  until: string;
}

/** When a run is cleanest. */
export const windowQuery = (region: string, { duration, until }: Wish) =>
  queryOptions({
    queryKey: keyOf(region, 'window', duration, until),
    queryFn: ({ signal }) =>
      unwrap(carbonBestWindow({ path: { region }, query: { duration, ...(until.includes(':') ? { deadline: until } : { hours: Number.parseInt(until, 10) }) }, signal })),
    ...untilAnswered(FIVE_MINUTES_MS / 5),
    placeholderData: keepPreviousData,
  });

/** The last values of all series, and the mix of fuels behind ours. */
export const currentQuery = (region: string) =>
  queryOptions({
    queryKey: keyOf(region, 'current'),
    queryFn: ({ signal }) => unwrap(carbonCurrent({ path: { region }, signal })),
    ...untilAnswered(FIVE_MINUTES_MS),
  });

/** What was measured over the local days since one. */
export const historyQuery = (region: string, channel: string, since: string) =>
  queryOptions({
    queryKey: keyOf(region, 'history', channel, since),
    queryFn: ({ signal }) => unwrap(carbonHistory({ path: { region }, query: { channel, start: since, limit: 10_000 }, signal })),
    ...untilAnswered(FIVE_MINUTES_MS),
    placeholderData: keepPreviousData,
  });
