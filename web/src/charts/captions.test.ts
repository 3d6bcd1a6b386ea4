import { expect, test } from 'vitest';

import { spread } from './captions';

test('words at the ends of lines never cover each other', () => {
  const placed = spread([100, 102, 101, 300], 15).toSorted((a, b) => a - b);
  const distances = placed.slice(1).map((height, index) => height - (placed[index] ?? 0));
  expect(Math.min(...distances)).toBeGreaterThanOrEqual(15);
});

test('words keep the order of their lines', () => {
  const placed = spread([102, 100], 15);
  expect(placed[0]).toBeGreaterThan(placed[1] ?? Infinity);
});

test('words far apart stay where they are', () => {
  expect(spread([10, 50], 15)).toEqual([10, 50]);
});
