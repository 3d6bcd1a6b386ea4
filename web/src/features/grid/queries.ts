import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { gridForecast, gridHistory, gridScores, gridWeek } from '@/client';
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

/** Seven days up to one, as they were forecast and as they came. */
export const weekQuery = (region: string, end: string) =>
  queryOptions({
    queryKey: ['grid', region, 'week', end],
    queryFn: ({ signal }) => unwrap(gridWeek({ path: { region }, query: { end }, signal })),
    refetchInterval: FIVE_MINUTES_MS,
    placeholderData: keepPreviousData,
  });

/** Errors day by day, and how the bands kept their word. */
export const historyQuery = (region: string, days: number, end: string | undefined) =>
  queryOptions({
    queryKey: ['grid', region, 'history', days, end ?? 'latest'],
    queryFn: ({ signal }) => unwrap(gridHistory({ path: { region }, query: { days, ...(end ? { end } : {}) }, signal })),
    placeholderData: keepPreviousData,
  });
