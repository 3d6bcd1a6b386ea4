import { expect, test } from 'vitest';

import { intervalsIn, stepOf } from './step';

test('an interval is called by its length where that has a name', () => {
  expect(stepOf(3600)).toMatchObject({ head: 'Hour', title: 'Hour by hour', many: 'hours' });
  expect(stepOf(86_400)).toMatchObject({ head: 'Day', title: 'Day by day', many: 'days' });
  expect(stepOf(900)).toMatchObject({ head: 'Time', title: 'In steps of 15 minutes', each: 'each 15 minutes' });
});

test('six hours are so many intervals, never none', () => {
  expect([300, 900, 1800, 3600, 86_400].map((seconds) => intervalsIn(6, stepOf(seconds)))).toEqual([72, 24, 12, 6, 1]);
});
