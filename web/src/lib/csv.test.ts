import { expect, test } from 'vitest';

import { toCsv, unitSuffix } from './csv';

test('a gap is an empty field', () => {
  expect(toCsv(['a', 'b'], [[1, null]])).toBe('a,b\r\n1,\r\n');
});

test('fields with commas, quotes or lines are quoted', () => {
  expect(toCsv(['a'], [['x, "y"\nz']])).toBe('a\r\n"x, ""y""\nz"\r\n');
});

test('columns are named by the unit of their numbers', () => {
  expect(['MWh', 'MW', 'kW', 'EUR/kWh', '%'].map(unitSuffix)).toEqual(['mwh', 'mw', 'kw', 'eur_kwh', 'percent']);
});
