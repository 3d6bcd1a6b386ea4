import { expect, test } from 'vitest';

import { toCsv } from '@/lib/csv';
import { makeForecast } from '@/test/fixtures';

import { type Interval, csvHeader, csvRows, doubtsInWords, formatOf, intervalToStartWith, intervalsOf, shownQuantity } from './intervals';

const ofDay = (wishes: Parameters<typeof makeForecast>[0]): Interval[] => intervalsOf(makeForecast(wishes)).filter(({ part }) => part === 'day');

test('the known past stands before the rest of today, and that before the day', () => {
  const intervals = intervalsOf(makeForecast());
  expect(intervals.map(({ part }) => part)).toEqual([...Array(48).fill('known'), ...Array(18).fill('until'), ...Array(24).fill('day')]);
  expect(intervals.map(({ start }) => start)).toEqual(intervals.map(({ start }) => start).toSorted((a, b) => a - b));
});

test('what was known inside the day is not shown twice', () => {
  const forecast = makeForecast();
  const [first] = forecast.points;
  forecast.known.push({ time: first?.time ?? '', local_time: first?.local_time ?? '', value: 1 });
  expect(intervalsOf(forecast)).toHaveLength(90);
});

test('days of 23 and 25 hours have as many intervals, each with a name of its own', () => {
  for (const [site, day, count] of [
    ['ny', '2026-03-08', 23],
    ['ny', '2026-11-01', 25],
    ['be', '2026-03-29', 92],
    ['be', '2026-10-25', 100],
    ['home', '2026-10-25', 50],
  ] as const) {
    const names = ofDay({ site, day }).map(({ label }) => label);
    expect(names).toHaveLength(count);
    expect(new Set(names).size).toBe(count);
  }
});

test('an interval ends where the next one begins, on every step', () => {
  for (const site of ['ny', 'be', 'home', 'works'] as const) {
    const known = intervalsOf(makeForecast({ site, day: '2026-10-27' })).filter(({ part }) => part === 'known');
    expect(known.slice(0, -1).map(({ end }) => end)).toEqual(known.slice(1).map(({ start }) => start));
  }
});

test('quarter hours are named to the minute, days by their date', () => {
  expect(ofDay({ site: 'be' })[69]?.label).toBe('17:15–17:30');
  expect(ofDay({ site: 'works' }).map(({ label }) => label)).toEqual(['Sun 22 Nov']);
});

test('values have the decimals that their size asks for', () => {
  expect((['ny', 'be', 'home', 'works'] as const).map((site) => formatOf(makeForecast({ site })).digits)).toEqual([0, 0, 3, 1]);
});

test('an ordinary day needs no zone in its hours', () => {
  expect(intervalsOf(makeForecast()).at(-1)?.label).toBe('23:00–00:00');
});

test('the page opens on the running hour, else on the peak', () => {
  const intervals = intervalsOf(makeForecast());
  const peak = intervals[intervalToStartWith(intervals, Date.parse('2026-11-01T00:00Z'))];
  expect(peak?.forecast).toBe(Math.max(...intervals.map(({ forecast }) => forecast ?? 0)));
  const running = intervals[intervalToStartWith(intervals, Date.parse('2026-11-22T13:40Z'))];
  expect(running?.label).toBe('08:00–09:00');
});

test('the file has every interval with UTC and local time, and leaves gaps empty', () => {
  const format = formatOf(makeForecast());
  const intervals = intervalsOf(makeForecast());
  const [header, ...rows] = toCsv(csvHeader(format), csvRows(intervals, format, true)).trim().split('\r\n');
  expect(header?.split(',')[0]).toBe('time_utc');
  expect(rows).toHaveLength(90);
  expect(rows[66]).toMatch(/^2026-11-22T05:00:00Z,2026-11-22T00:00-05:00,day,\d+,\d+,\d+,\d+,,,\d+,,-?[\d.]+,true$/);
});

test('only flags that speak against a value are doubts, and they are said in words', () => {
  const forecast = makeForecast({ isPast: true });
  forecast.points = forecast.points.map((point) => ({ ...point, actual_quality: ['assumed', 'simulated', 'frozen'] }));
  const hour = intervalsOf(forecast).at(-1);
  expect(hour?.doubts).toEqual(['frozen']);
  expect(doubtsInWords(hour?.doubts ?? [])).toBe('the same value for hours');
});

test('the columns of the file are named by the unit, the first rival by its part', () => {
  expect(csvHeader(formatOf(makeForecast())).filter((name) => name.endsWith('_mwh'))).toHaveLength(7);
  expect(csvHeader(formatOf(makeForecast({ site: 'be' })))).toContain('forecast_mw');
  expect(csvHeader(formatOf(makeForecast({ site: 'home' })))).toContain('upper90_kw');
});

test('every further rival has a column of its own', () => {
  const forecast = makeForecast({ site: 'be' });
  forecast.points = forecast.points.map((point) => ({ ...point, rivals: { ...point.rivals, week_ahead: 9100 } }));
  const format = formatOf(forecast);
  expect(csvHeader(format).at(-1)).toBe('week_ahead_mw');
  expect(csvRows(intervalsOf(forecast), format, false).at(-1)?.at(-1)).toBe(9100);
});

test('a site whose values are below zero opens on its highest too', () => {
  const forecast = makeForecast({ site: 'home', isPast: true });
  forecast.points = forecast.points.map((point, index) => ({ ...point, value: index === 30 ? -0.2 : -1 }));
  const intervals = intervalsOf(forecast);
  expect(intervals[intervalToStartWith(intervals, 0)]?.forecast).toBe(-0.2);
});

test('today and tomorrow have the newest forecast, and beside it what was said at the hour of issue', () => {
  const forecast = makeForecast({ day: '2026-11-21' });
  const { newest, points } = forecast;
  if (!newest) throw new Error('no newest forecast');
  const tomorrow = makeForecast();
  const said = points.map(({ time, local_time, value, lower, upper }) => ({ time, local_time, value: (value ?? 0) - 100, lower, upper }));
  forecast.issued_at = '2026-11-20T13:00:00Z';
  forecast.newest = { ...newest, issued_at: '2026-11-21T14:00:00Z', points: [...newest.points.slice(-10), ...(tomorrow.newest?.points.slice(-24) ?? [])] };
  forecast.day_ahead = [{ ...newest, day: '2026-11-21', issued_at: '2026-11-20T13:00:00Z', points: said }];
  const intervals = intervalsOf(forecast);
  const parts = ['day', 'after'].map((part) => intervals.filter((interval) => interval.part === part));
  expect(parts.map((part) => part?.length)).toEqual([24, 24]);
  const [today = [], after = []] = parts;
  expect(today.filter((interval) => interval.forecast !== null)).toHaveLength(10);
  expect(today.every(({ dayAhead }) => dayAhead !== null)).toBe(true);
  expect(after.every((interval) => interval.forecast !== null && interval.upper !== null)).toBe(true);
});

test('what came after the issue of a past day is marked, what was known is not', () => {
  const forecast = makeForecast({ day: '2026-11-18', isPast: true });
  forecast.later = [{ time: '2026-11-17T11:00:00Z', local_time: '2026-11-17T06:00-05:00', value: 15_000, quality: ['frozen'] }];
  const intervals = intervalsOf(forecast);
  expect(intervals.filter(({ part }) => part === 'known').some(({ isLater }) => isLater)).toBe(false);
  expect(intervals.find(({ part }) => part === 'until')).toMatchObject({ isLater: true, actual: 15_000, doubts: ['frozen'] });
  expect(intervals.filter(({ part }) => part === 'day').every(({ isLater }) => isLater)).toBe(true);
});

test('picture and sentence have the larger unit, the file keeps the one of the channel', () => {
  const format = formatOf(makeForecast());
  expect(shownQuantity(17_340, format.shownIn)).toBe('17.34\u00A0GWh');
  expect(shownQuantity(null, format.shownIn)).toBe('–');
  expect(csvHeader(format)).toContain('forecast_mwh');
  expect(formatOf(makeForecast({ site: 'home' })).shownIn).toEqual({ unit: 'kW', divisor: 1, digits: 3 });
});
