import { expect, test } from 'vitest';

import { captionsOf, extentOf, layOut, niceMarks } from './layout';
import type { Drawing, LineShape, Panel } from './types';

const line = (id: string, points: readonly (readonly [number, number | null])[], name: string | null = id): LineShape => ({
  kind: 'line',
  id,
  name,
  points,
  colour: 'load',
  width: 2,
});

const panel = (shapes: Panel['shapes'], more: Partial<Panel> = {}): Panel => ({ id: 'p', unit: 'MW', shapes, marks: 4, ...more });
const drawing = (...panels: Panel[]): Drawing => ({ domain: [0, 10], leastSpan: 1, panels, marks: [], ticks: () => [] });

test('an axis is marked with round numbers between its ends', () => {
  expect(niceMarks(13.9, 19.6, 4)).toEqual([14, 16, 18]);
  expect(niceMarks(0.41, 0.52, 4)).toEqual([0.425, 0.45, 0.475, 0.5]);
  expect(niceMarks(-3, 21, 2)).toEqual([0, 10, 20]);
  expect(niceMarks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
});

test('a value that never changes has an axis all the same', () => {
  const flat = line('flat', [
    [0, 5],
    [10, 5],
  ]);
  const [placed] = layOut(drawing(panel([flat])), [0, 10], 600, 300).panels;
  expect(placed?.y(5)).toBeGreaterThan(placed?.top ?? 0);
  expect(placed?.y(5)).toBeLessThan(placed?.bottom ?? 0);
  expect(placed?.marks.length).toBeGreaterThan(0);
});

test('an axis that shows nought begins at it', () => {
  const [placed] = layOut(drawing(panel([line('a', [[1, 8]])], { hasZero: true })), [0, 10], 600, 300).panels;
  expect(placed?.y(0)).toBe(placed?.bottom);
});

test('an axis fits what is in sight and leaves gaps out', () => {
  const shape = line('a', [
    [0, 1],
    [5, null],
    [6, 3],
    [9, 100],
  ]);
  expect(extentOf(panel([shape]), [0, 10])).toEqual([1, 100]);
  expect(extentOf(panel([shape]), [0, 7])).toEqual([1, 3]);
  expect(extentOf(panel([shape], { hasZero: true }), [0, 7])).toEqual([0, 3]);
});

test('an axis leaves out what is doubted, which stays at its end; where there is nothing else it counts', () => {
  const values = [
    [0, 1],
    [5, 1e300],
    [9, 3],
  ] as const;
  const doubting = { ...line('a', values), doubted: new Set([5]) };
  const marked = { kind: 'doubts', id: 'd', points: [[5, 1e300]] } as const;
  expect(extentOf(panel([doubting, marked]), [0, 10])).toEqual([1, 3]);
  expect(extentOf(panel([doubting, marked]), [4, 6])).toEqual([1e300, 1e300]);
  const [placed] = layOut(drawing(panel([doubting, marked])), [0, 10], 600, 300).panels;
  expect(placed?.within(1e300)).toBe(placed?.top);
  expect(placed?.within(-1e300)).toBe(placed?.bottom);
});

test('a band counts with both edges', () => {
  const band = { kind: 'band', id: 'b', points: [{ x: 1, lower: -2, upper: 7, reach: 0.5 }], isHatched: false } as const;
  expect(extentOf(panel([band]), [0, 10])).toEqual([-2, 7]);
});

test('panels stand below each other and share one axis of time', () => {
  const values = [
    [0, 1],
    [10, 2],
  ] as const;
  const layout = layOut(drawing(panel([line('a', values)]), panel([line('b', values)], { id: 'q', height: 60 })), [0, 10], 600, 400);
  const [upper, lower] = layout.panels;
  expect(upper?.bottom).toBeLessThan(lower?.top ?? 0);
  expect((lower?.bottom ?? 0) - (lower?.top ?? 0)).toBe(60);
  expect(layout.at(layout.x(4))).toBeCloseTo(4);
});

test('a line that ends at the right has its name in the margin, one that ends before above or below it', () => {
  const shapes = [
    line('long', [
      [0, 1],
      [10, 2],
    ]),
    line('short', [
      [0, 1],
      [5, 2],
    ]),
  ];
  const layout = layOut(drawing(panel(shapes)), [0, 10], 600, 300);
  const [placed] = layout.panels;
  if (!placed) throw new Error('no panel');
  const [long, short] = captionsOf(placed, layout, [0, 10]);
  expect(long).toMatchObject({ text: 'long', anchor: 'start' });
  expect(long?.x).toBeGreaterThan(layout.right);
  expect(short).toMatchObject({ text: 'short', anchor: 'end', x: layout.x(5) });
});
