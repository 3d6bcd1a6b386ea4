import { expect, test } from 'vitest';

import { formatEnergy, formatPower, formatSince } from './usage';

test('powers are written in watts up to a kilowatt, and a gap is a dash', () => {
  expect([0, 7.54, 85.4, -420, 1156.4, -9500, 12_340, null].map(formatPower)).toEqual([
    '0\u00a0W',
    '7.5\u00a0W',
    '85\u00a0W',
    '−420\u00a0W',
    '1.16\u00a0kW',
    '−9.50\u00a0kW',
    '12.3\u00a0kW',
    '–',
  ]);
});

test('energies of a day have the decimals that matter', () => {
  expect([0.5004, 3.238, 43.09, 258.2, undefined].map(formatEnergy)).toEqual(['0.50\u00a0kWh', '3.24\u00a0kWh', '43.1\u00a0kWh', '258\u00a0kWh', '–']);
});

test('an age is told by the clock of the server, whatever this one says', () => {
  const usage = { at: '2026-11-21T14:20:00Z' };
  const answered = Date.parse('2026-11-21T15:00:00Z'); // a browser's clock that is wrong
  expect(formatSince('2026-11-21T14:19:57Z', usage, answered, answered + 4000)).toBe('7\u00a0s');
  expect(formatSince('2026-11-21T13:20:00Z', usage, answered, answered)).toBe('1\u00a0h');
  expect(formatSince('2026-11-21T14:20:03Z', usage, answered, answered)).toBe('0\u00a0s');
});
