import { expect, test } from 'vitest';

import { toCsv } from '@/lib/csv';
import { hoursOfDay, makeForecast } from '@/test/fixtures';

import { CSV_HEADER, csvRows, doubtsInWords, hourToStartWith, hoursOf } from './hours';

test('the known past stands before the day', () => {
  const hours = hoursOf(makeForecast());
  expect(hours.map(({ part }) => part)).toEqual([...Array(48).fill('known'), ...Array(24).fill('day')]);
  expect(hours.map(({ start }) => start)).toEqual(hours.map(({ start }) => start).toSorted((a, b) => a - b));
});

test('what was known inside the day is not shown twice', () => {
  const forecast = makeForecast();
  const [first] = forecast.points;
  forecast.known.push({ time: first?.time ?? '', local_time: first?.local_time ?? '', value: 1 });
  expect(hoursOf(forecast)).toHaveLength(72);
});

test('days of 23 and 25 hours have 23 and 25 rows, each with a name of its own', () => {
  for (const [day, count] of [['2026-03-08', 23], ['2026-11-01', 25]] as const) {
    const names = hoursOf(makeForecast({ day })).filter(({ part }) => part === 'day').map(({ label }) => label);
    expect(hoursOfDay(day)).toHaveLength(count);
    expect(new Set(names).size).toBe(count);
  }
});

test('an ordinary day needs no zone in its hours', () => {
  expect(hoursOf(makeForecast()).at(-1)?.label).toBe('23:00–00:00');
});

test('the page opens on the running hour, else on the peak', () => {
  const hours = hoursOf(makeForecast());
  const peak = hours[hourToStartWith(hours, Date.parse('2026-11-01T00:00Z'))];
  expect(peak?.forecast).toBe(Math.max(...hours.map(({ forecast }) => forecast ?? 0)));
  const running = hours[hourToStartWith(hours, Date.parse('2026-11-22T13:40Z'))];
  expect(running?.label).toBe('08:00–09:00');
});

test('the file has every hour with UTC and local time, and leaves gaps empty', () => {
  const hours = hoursOf(makeForecast());
  const [header, ...rows] = toCsv(CSV_HEADER, csvRows(hours, true)).trim().split('\r\n');
  expect(header?.split(',')[0]).toBe('time_utc');
  expect(rows).toHaveLength(72);
  expect(rows[48]).toMatch(/^2026-11-22T05:00:00Z,2026-11-22T00:00-05:00,day,\d+,\d+,\d+,\d+,,,\d+,true$/);
});

test('only flags that speak against a value are doubts, and they are said in words', () => {
  const forecast = makeForecast({ isPast: true });
  forecast.points = forecast.points.map((point) => ({ ...point, actual_quality: ['assumed', 'simulated', 'frozen'] }));
  const hour = hoursOf(forecast).at(-1);
  expect(hour?.doubts).toEqual(['frozen']);
  expect(doubtsInWords(hour?.doubts ?? [])).toBe('the same value for hours');
});
