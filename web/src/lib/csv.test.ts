import { expect, test } from 'vitest';

import { toCsv } from './csv';

test('a gap is an empty field', () => {
  expect(toCsv(['a', 'b'], [[1, null]])).toBe('a,b\r\n1,\r\n');
});

test('fields with commas, quotes or lines are quoted', () => {
  expect(toCsv(['a'], [['x, "y"\nz']])).toBe('a\r\n"x, ""y""\nz"\r\n');
});
