import { expect, test } from 'vitest';

import { bandSeries, runs } from './band';

const point = (x: number, lower: number | null, upper: number | null) => ({ x, lower, upper, reach: 0.5 });

test('a gap ends a band and the next value begins another', () => {
  const points = [point(0, null, null), point(1, 1, 2), point(2, 1, 2), point(3, null, 2), point(4, 1, 2)];
  expect(runs(points).map((run) => run.map(({ x }) => x))).toEqual([[1, 2], [4]]);
});

test('without values there is no band', () => {
  expect(runs([])).toEqual([]);
});

test('the axis is told both edges of every point', () => {
  const { data } = bandSeries('band', [point(0, 1, 9), point(1, null, null), point(2, 2, 8)], { fill: 'blue', hatch: null });
  expect(data).toEqual([
    [0, 1, 9],
    [2, 2, 8],
  ]);
});

test('a value without neighbours has a band as wide as its interval', () => {
  const { renderItem } = bandSeries('band', [point(3, 1, 2)], { fill: 'blue', hatch: null });
  const drawn = renderItem?.({ dataIndex: 0 } as never, { coord: (at: number[]) => at } as never);
  expect(drawn).toMatchObject({
    shape: {
      points: [
        [2.5, 2],
        [3.5, 2],
        [3.5, 1],
        [2.5, 1],
      ],
    },
  });
});
