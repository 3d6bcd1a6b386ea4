import { expect, test } from 'vitest';

import { digitsFor, formatNumber, formatQuantity, formatSigned } from './numbers';

test('numbers are grouped and keep the decimals asked for', () => {
  expect(formatNumber(21_340.4)).toBe('21,340');
  expect(formatNumber(1.405, 2)).toBe('1.41');
});

test('values are written to three digits or more, whatever their size', () => {
  expect([[19_190, 100], [9_812], [99.9], [2.4, 0.1], [0.52, null], []].map(digitsFor)).toEqual([0, 0, 1, 2, 3, 3]);
  expect(digitsFor([-250, 3])).toBe(0);
});

test('a gap is a dash and never a zero', () => {
  expect(formatNumber(null)).toBe('–');
  expect(formatQuantity(undefined, 'MWh')).toBe('–');
  expect(formatNumber(Number.NaN)).toBe('–');
});

test('a number stays on one line with its unit', () => {
  expect(formatQuantity(0, 'MWh')).toBe('0\u00a0MWh');
});

test('a sign is a real minus or plus, and a rounded nought has none', () => {
  expect(formatSigned(-18)).toBe('−18');
  expect(formatSigned(204)).toBe('+204');
  expect(formatSigned(-0.2)).toBe('0');
  expect(formatSigned(0.04, 1)).toBe('0.0');
});
