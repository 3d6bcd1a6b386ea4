import { expect, test } from 'vitest';

import { ZONE, makeEntity, makeReadings } from '@/test/homes';

import { AHEAD_HOURS, daysOf, formatOfAhead, highestOf, historyInWords, intervalsOfAhead, learnedInWords } from './ahead';

const MEASURED = makeReadings('2026-11-20T20:00:00Z', '2026-11-21T16:00:00Z');

test('today is shown as measured up to where the forecast begins, tomorrow as forecast to its end', () => {
  const intervals = intervalsOfAhead(makeEntity(), MEASURED, ZONE);
  expect(intervals[0]).toMatchObject({ localTime: '2026-11-21T00:00+01:00', part: 'known', actual: 0.2, forecast: null });
  expect(intervals.filter(({ part }) => part === 'known')).toHaveLength(15);
  expect(intervals.filter(({ part }) => part === 'until')).toHaveLength(9);
  expect(intervals.filter(({ part }) => part === 'day')).toHaveLength(24);
  expect(intervals.at(-1)).toMatchObject({ label: '23:00–00:00', actual: null, forecast: 0.2, lower: 0.1, upper: 0.4 });
  expect(new Set(intervals.map(({ start }) => start)).size).toBe(intervals.length);
});

test('the hours asked for reach to the end of tomorrow, also where the clock goes back', () => {
  const start = '2026-10-23T22:00:00Z'; // midnight; the next day has 25 hours
  const intervals = intervalsOfAhead(makeEntity({ start, hours: AHEAD_HOURS }), [], ZONE);
  expect(intervals.filter(({ part }) => part === 'day')).toHaveLength(25);
  expect(intervals.at(-1)?.end).toBe(daysOf({ start }, ZONE).ends);
});

test('the highest interval of tomorrow is said with its band', () => {
  const entity = makeEntity();
  const format = formatOfAhead(entity, MEASURED, ZONE);
  const intervals = intervalsOfAhead(entity, MEASURED, ZONE);
  expect(highestOf(intervals, format)).toBe('2.20\u00a0kW between 19:00 and 20:00; with 90\u00a0% probability 1.10–4.40\u00a0kW.');
  const feeding = intervals.map((each) => ({ ...each, lower: -0.5 }));
  expect(highestOf(feeding, format)).toContain('−0.50 to 4.40\u00a0kW');
});

test('one measured value that cannot be right does not round the forecast to zero', () => {
  const entity = makeEntity();
  const measured = MEASURED.map((row, place) => (place === 3 ? Object.assign({}, row, { value: 300_000, quality: ['out_of_range'] }) : row));
  expect(formatOfAhead(entity, measured, ZONE).digits).toBe(formatOfAhead(entity, [], ZONE).digits);
  expect(highestOf(intervalsOfAhead(entity, measured, ZONE), formatOfAhead(entity, measured, ZONE))).toContain('2.20\u00a0kW');
});

test('a forecast that does not reach tomorrow says nothing of it', () => {
  const entity = makeEntity({ hours: 3 });
  expect(highestOf(intervalsOfAhead(entity, [], ZONE), formatOfAhead(entity, [], ZONE))).toBeNull();
});

test('how much is known is said in days, at first in hours', () => {
  expect(historyInWords('2026-10-18T08:30:00Z', '2026-11-22T08:30:00Z')).toBe('35 days of readings');
  expect(historyInWords('2026-11-21T08:00:00Z', '2026-11-22T08:00:00Z')).toBe('24 hours of readings');
});

test('of a trained model it is said how many homes it learned from, and when', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  const trained = '2026-11-18T12:00:00Z';
  expect(learnedInWords({ learned_from: 12, trained_at: trained }, now)).toBe(', learned from 12 homes, 3\u00a0days ago');
  expect(learnedInWords({ learned_from: 1, trained_at: trained }, now)).toBe(', learned from its own past alone, 3\u00a0days ago');
  expect(learnedInWords({ learned_from: null, trained_at: null }, now)).toBe('');
});
