import { expect, test } from 'vitest';

import { makeHistory } from '@/test/fixtures';

import { coverageOf, errorOf, historyDrawing, measureOf, reliabilityDrawing, verdictOf } from './historyDrawing';

const history = makeHistory();

test('every forecaster has a line with a point per day, and a day without a score is a gap', () => {
  const shapes = historyDrawing(history).panels[0]?.shapes ?? [];
  expect(shapes.map(({ id }) => id).toSorted()).toEqual(['operator', 'ours', 'seasonal_naive']);
  for (const { points } of shapes) {
    expect(points).toHaveLength(30);
    expect((points.at(-1) as readonly [number, number | null])[1]).toBeNull();
  }
});

test('errors are in percent, unless some day has none', () => {
  expect(measureOf(history)).toMatchObject({ unit: '%', isPercent: true });
  const empty = { ...history, days: [{ day: '2026-11-20', rows: [{ model: 'ours', label: 'Watthour', mae: 0.01, mape_percent: null }] }] };
  const measure = measureOf(empty);
  expect(measure).toMatchObject({ unit: 'MWh', isPercent: false });
  const [day] = empty.days;
  expect(day && errorOf(day, 'ours', measure)).toBe(0.01);
});

test('ours lies above the others in the picture', () => {
  expect(historyDrawing(history).panels[0]?.shapes.at(-1)?.id).toBe('ours');
});

test('the reliability picture has the diagonal and a dot per level, and both axes go from nothing to all', () => {
  const drawing = reliabilityDrawing(history.reliability);
  const [panel] = drawing.panels;
  expect(drawing.domain).toEqual([0, 100]);
  expect(panel?.fixed).toEqual([0, 100]);
  expect(panel?.shapes.map(({ id, points }) => [id, points.length])).toEqual([
    ['diagonal', 2],
    ['came', 11],
  ]);
});

test('the share inside the band is said with the number of hours', () => {
  expect(coverageOf(history.reliability)).toBeCloseTo(86.4);
  expect(verdictOf(history.reliability, 'hours')).toBe('86.4\u00A0% of 696 hours lay inside the 90\u00A0% band.');
  expect(coverageOf({ n: 3, rows: [{ level_percent: 50, below_percent: 40 }] })).toBeNull();
});
