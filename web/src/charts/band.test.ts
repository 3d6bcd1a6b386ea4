import { expect, test } from 'vitest';

import { outlines, runs } from './band';

const point = (x: number, lower: number | null, upper: number | null) => ({ x, lower, upper, reach: 0.5 });

test('a gap ends a band and the next value begins another', () => {
  const points = [point(0, null, null), point(1, 1, 2), point(2, 1, 2), point(3, null, 2), point(4, 1, 2)];
  expect(runs(points).map((run) => run.map(({ x }) => x))).toEqual([[1, 2], [4]]);
});

test('without values there is no band', () => {
  expect(runs([])).toEqual([]);
});

test('a band goes there along its upper edge and back along its lower one', () => {
  expect(outlines([point(0, 1, 9), point(1, 2, 8)])).toEqual([
    [
      [0, 9],
      [1, 8],
      [1, 2],
      [0, 1],
    ],
  ]);
});

test('a value without neighbours has a band as wide as its interval', () => {
  expect(outlines([point(3, 1, 2)])).toEqual([
    [
      [2.5, 2],
      [3.5, 2],
      [3.5, 1],
      [2.5, 1],
    ],
  ]);
});
