import { expect, test } from 'vitest';

import { CHOICES, makePlan, makeRun } from '@/test/plan';

import { chosenOf } from './ChoicesCard';
import { deadlinesOf, gainInWords, nextInWords } from './runs';
import { heightOf, planDrawing, stepsOf } from './steps';

const NOW = Date.parse('2026-11-21T14:20:00Z');

test('runs stand as bars above the price, carbon and what the battery holds', () => {
  const plan = makePlan();
  const drawing = planDrawing(plan, stepsOf(plan), NOW);
  expect(drawing.panels.map(({ id }) => id)).toEqual(['runs', 'price', 'carbon', 'battery-battery']);
  expect(drawing.panels[0]?.bars?.map(({ name, row, from }) => [name, row, new Date(from).toISOString()])).toEqual([
    ['dishwasher', 0, '2026-11-22T01:15:00.000Z'],
    ['car', 1, '2026-11-21T23:00:00.000Z'],
  ]);
  expect(heightOf(drawing)).toBe(52 + 3 * 34 + 48 + 120 + 90 + 76);
});

test('now is in sight though the plan begins with the next quarter', () => {
  const plan = makePlan();
  const drawing = planDrawing(plan, stepsOf(plan), NOW);
  expect(drawing.domain[0]).toBe(NOW);
  expect(drawing.marks.map(({ name, x }) => [name, x])).toEqual([['now', NOW]]);
});

test('a forecast price is a line of its own, and no step is on both', () => {
  const plan = makePlan();
  const [published, forecast] = planDrawing(plan, stepsOf(plan), NOW).panels[1]?.shapes ?? [];
  if (published?.kind !== 'line' || forecast?.kind !== 'line') throw new Error('there are two lines');
  expect([published.colour, forecast.colour]).toEqual(['price', 'price-forecast']);
  const both = published.points.filter(([, y], index) => (y === null) === (forecast.points[index]?.[1] === null));
  expect(both).toEqual([]);
});

test('without carbon and battery their panels are left out', () => {
  const plan = makePlan({ carbon: null, things: makePlan().things.slice(0, 1) });
  expect(planDrawing(plan, stepsOf(plan), NOW).panels.map(({ id }) => id)).toEqual(['runs', 'price']);
});

test('what a battery gives is negative', () => {
  const step = stepsOf(makePlan()).find(({ start }) => start === Date.parse('2026-11-21T17:00:00Z'));
  expect(step?.thingsKw).toEqual([0, 0, -0.4]);
});

test('deadlines are full hours in which the run has room, and the one it has', () => {
  const run = makeRun({ deadline: '2026-11-22T05:30:00Z' });
  const deadlines = deadlinesOf(run, makePlan(), NOW).map((at) => new Date(at).toISOString());
  expect(deadlines[0]).toBe('2026-11-21T21:00:00.000Z'); // from 19:00 on, for two hours
  expect(deadlines).toContain('2026-11-22T05:30:00.000Z');
  expect(deadlines.at(-1)).toBe('2026-11-22T14:00:00.000Z'); // within what is planned
});

test('deadlines are full hours of the local clock where that is half an hour off', () => {
  const run = makeRun({ deadline: '2026-11-22T05:30:00Z' });
  const deadlines = deadlinesOf(run, makePlan({ time_zone: 'Asia/Kolkata' }), NOW).map((at) => new Date(at).toISOString());
  expect(deadlines.slice(0, 2)).toEqual(['2026-11-21T21:30:00.000Z', '2026-11-21T22:30:00.000Z']);
});

test('what batteries hold already is told apart from the gain of the plan', () => {
  const words = gainInWords(makePlan({ from_stock: { energy_kwh: 1.84, money: 0.52, is_assumed: true } }));
  expect(words).toContain('About 0.52\u00a0EUR of it is no gain of the plan, but energy that the battery is assumed to hold already (1.8\u00a0kWh).');
});

test('where money does not count, the cleanest plan is in force', () => {
  const options = [0, 0.2, 1.5].flatMap((carbon_weight) => CHOICES.slice(0, 1).map((choice) => ({ ...choice, carbon_weight })));
  expect([{ money: 0, carbon: 1 }, { money: 2, carbon: 0.4 }, { carbon: 0.1 }].map((weights) => chosenOf(options, { peak: 0, ...weights }))).toEqual([2, 1, 0]);
});

test('a plan that costs more for less carbon says both', () => {
  expect(gainInWords(makePlan({ cost: 5.01 }))).toBe('Expected beside starting everything at once: 0.10\u00a0EUR more but 0.50\u00a0kg less CO2.');
  expect(gainInWords(makePlan({ cost: 4.91, carbon_kg: 1.9 }))).toBe('It is expected to cost as much as starting everything at once.');
});

test('what is skipped or done is not next', () => {
  expect(nextInWords(makePlan({ runs: [makeRun({ state: 'done' }), makeRun({ state: 'skipped', start: null, end: null })] }), NOW)).toBe('Nothing is to run in the hours that are planned.');
});
