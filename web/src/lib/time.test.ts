import { expect, test } from 'vitest';

import { DAY_MS, HOUR_MS, formatAge, formatDay, formatInstant, formatSpan, intervalEnd, localDay, localIso, relativeDay, shiftDay, startOfDay, zoneAbbreviation } from './time';

const NEW_YORK = 'America/New_York';
const FALL_BACK = Date.parse('2026-11-01T05:00Z'); // 01:00 EDT, the first of the two

test('an interval is named by both its ends on the clock of the place', () => {
  const start = Date.parse('2026-11-22T22:00Z');
  expect(formatSpan(start, start + HOUR_MS, NEW_YORK)).toBe('17:00–18:00');
  expect(formatSpan(start, start + HOUR_MS / 4, NEW_YORK)).toBe('17:00–17:15');
});

test('the hour that comes twice is told apart by the letters of its zone', () => {
  expect(formatSpan(FALL_BACK, FALL_BACK + HOUR_MS, NEW_YORK, true)).toBe('01:00 EDT–01:00 EST');
  expect(formatSpan(FALL_BACK + HOUR_MS, FALL_BACK + 2 * HOUR_MS, NEW_YORK, true)).toBe('01:00–02:00 EST');
});

test('an interval of a day ends at the next midnight of the place', () => {
  const hours = (day: string): number => (intervalEnd(Date.parse(day), DAY_MS, NEW_YORK) - Date.parse(day)) / HOUR_MS;
  expect(['2026-03-08T05:00Z', '2026-11-01T04:00Z', '2026-11-22T05:00Z'].map(hours)).toEqual([23, 25, 24]);
  expect(intervalEnd(0, HOUR_MS / 4, NEW_YORK)).toBe(HOUR_MS / 4);
});

test('an instant is written in the zone of the place, with its letters', () => {
  expect(formatInstant(Date.parse('2026-11-21T13:00Z'), NEW_YORK)).toBe('Sat 21 Nov, 08:00 EST');
  expect(formatInstant(Date.parse('2026-07-01T12:30Z'), NEW_YORK)).toBe('Wed 1 Jul, 08:30 EDT');
  expect(formatInstant(Date.parse('2023-12-31T22:00Z'), NEW_YORK, FALL_BACK)).toBe('Sun 31 Dec 2023, 17:00 EST');
});

test('zones of other continents have their letters too', () => {
  expect(zoneAbbreviation(FALL_BACK, 'Europe/Berlin')).toBe('CET');
  expect(zoneAbbreviation(FALL_BACK, 'Europe/London')).toBe('GMT');
  expect(zoneAbbreviation(FALL_BACK, 'Australia/Sydney')).toBe('AEDT');
  expect(zoneAbbreviation(FALL_BACK, 'UTC')).toBe('UTC');
});

test('a calendar day is written out and shifted without a zone', () => {
  expect(formatDay('2026-11-22')).toBe('Sunday 22 November 2026');
  expect(shiftDay('2026-11-01', 1)).toBe('2026-11-02');
  expect(shiftDay('2024-03-01', -1)).toBe('2024-02-29');
});

test('the day it is depends on the place', () => {
  expect(localDay(Date.parse('2026-11-22T03:00Z'), NEW_YORK)).toBe('2026-11-21');
});

test('only the days next to today have a name of their own', () => {
  expect(relativeDay('2026-11-22', '2026-11-21')).toBe('Tomorrow');
  expect(relativeDay('2026-11-21', '2026-11-21')).toBe('Today');
  expect(relativeDay('2026-11-19', '2026-11-21')).toBeNull();
});

test('an age is said in the unit people would use', () => {
  expect([0.2, 3.4, 47, 120].map((hours) => formatAge(hours).replace('\u00a0', ' '))).toEqual(['12 min', '3 h', '47 h', '5 days']);
});

const begins = (day: string, zone: string): string => new Date(startOfDay(day, zone)).toISOString();

test('a day begins at its own midnight, also where the clock changes on it and where midnight is left out', () => {
  expect(begins('2026-11-01', 'America/New_York')).toBe('2026-11-01T04:00:00.000Z');
  expect(begins('2026-11-02', 'America/New_York')).toBe('2026-11-02T05:00:00.000Z');
  expect(begins('2026-03-29', 'Europe/Paris')).toBe('2026-03-28T23:00:00.000Z');
  expect(begins('2026-06-01', 'Pacific/Kiritimati')).toBe('2026-05-31T10:00:00.000Z');
  expect(begins('2026-06-01', 'Pacific/Pago_Pago')).toBe('2026-06-01T11:00:00.000Z');
  expect(begins('2026-06-01', 'Asia/Kathmandu')).toBe('2026-05-31T18:15:00.000Z');
  expect(begins('2018-11-04', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z');
});

test('a local time says how far it is from UTC', () => {
  expect(localIso(Date.parse('2026-11-22T22:00Z'), 'America/New_York')).toBe('2026-11-22T17:00-05:00');
  expect(localIso(Date.parse('2026-01-22T22:00Z'), 'Europe/London')).toBe('2026-01-22T22:00+00:00');
});
