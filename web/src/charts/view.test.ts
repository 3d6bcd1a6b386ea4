import { expect, test } from 'vitest';

import type { View } from './types';
import { fitted, moved, showing, zoomed } from './view';

const ALL: View = [0, 100];

test('what is pointed at stays where it is while one zooms', () => {
  const [from, to] = zoomed(ALL, 0.5, 80, ALL, 1);
  expect(to - from).toBe(50);
  expect((80 - from) / (to - from)).toBeCloseTo(0.8);
});

test('nobody zooms out of the whole or into nothing', () => {
  expect(zoomed([20, 40], 100, 30, ALL, 1)).toEqual([0, 100]);
  const [from, to] = zoomed([20, 40], 0.001, 30, ALL, 6);
  expect([from, to]).toEqual([27, 33]);
});

test('a view stops at the ends', () => {
  expect(moved([10, 30], -50, ALL)).toEqual([0, 20]);
  expect(moved([70, 90], 50, ALL)).toEqual([80, 100]);
  expect(fitted([-10, 200], ALL, 5)).toEqual([0, 100]);
});

test('a chosen interval outside is brought into sight, one inside moves nothing', () => {
  expect(showing([0, 20], 10, ALL)).toEqual([0, 20]);
  const [from, to] = showing([0, 20], 50, ALL);
  expect(from <= 50 && 50 <= to).toBe(true);
  expect(to - from).toBe(20);
});
