import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { gridForecast, gridScores } from '@/client';
import { unwrap } from '@/lib/problem';

const FIVE_MINUTES_MS = 300_000;

/** What was known and forecast for a day; without a day, for tomorrow. */
export const forecastQuery = (region: string, day: string | undefined) =>
  queryOptions({
    queryKey: ['grid', region, 'forecast', day ?? 'tomorrow'],
    queryFn: ({ signal }) => unwrap(gridForecast({ path: { region }, query: day ? { day } : {}, signal })),
    refetchInterval: FIVE_MINUTES_MS,
    placeholderData: keepPreviousData,
  });

/** How well the forecasts of some days did, beside their rivals on the same intervals. */
export const scoresQuery = (region: string, days: number, end: string | undefined) =>
  queryOptions({
    queryKey: ['grid', region, 'scores', days, end ?? 'latest'],
    queryFn: ({ signal }) => unwrap(gridScores({ path: { region }, query: { days, ...(end ? { end } : {}) }, signal })),
    refetchInterval: FIVE_MINUTES_MS,
    placeholderData: keepPreviousData,
  });
