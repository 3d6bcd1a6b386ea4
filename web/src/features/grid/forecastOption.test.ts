import type { LineSeriesOption } from 'echarts/charts';
import { expect, test } from 'vitest';

import type { Palette } from '@/charts/palette';
import { makeForecast } from '@/test/fixtures';

import { type Scene, forecastOption } from './forecastOption';
import { type Hour, hoursOf } from './hours';

const palette = new Proxy({}, { get: (_, name) => `var(${String(name)})` }) as Palette;

function scene(wishes: Partial<Scene> = {}): Scene {
  return {
    hours: hoursOf(makeForecast()),
    timeZone: 'America/New_York',
    unit: 'MWh',
    now: Date.parse('2026-11-21T14:20Z'),
    issuedAt: Date.parse('2026-11-21T13:00Z'),
    isSimulated: false,
    isNarrow: false,
    ...wishes,
  };
}

function series(option: ReturnType<typeof forecastOption>, id: string) {
  return [option.series].flat().find((candidate) => candidate?.id === id);
}

function linePoints(hours: readonly Hour[], id: string): (readonly [number, number | null])[] {
  return (series(forecastOption(scene({ hours }), palette), id) as LineSeriesOption).data as [number, number | null][];
}

function ticks(wishes: Partial<Scene>): string[] {
  const option = forecastOption(scene(wishes), palette);
  const axis = [option.xAxis].flat()[0] as { axisLabel: { customValues: number[]; formatter: (value: number) => string } };
  return axis.axisLabel.customValues.map((value) => axis.axisLabel.formatter(value).replace(/[{}]|day\||clock\|/g, ''));
}

const day = (date: string): Hour[] => hoursOf(makeForecast({ day: date, isPast: true })).filter(({ part }) => part === 'day');

test('a value stands in the middle of its hour', () => {
  const hours = day('2026-11-18');
  expect(linePoints(hours, 'forecast')[0]?.[0]).toBe((hours[0]?.start ?? 0) + 1_800_000);
});

test('a gap stays a gap', () => {
  const hours = day('2026-11-18').map((hour, index) => (index === 5 ? { ...hour, actual: null } : hour));
  expect(linePoints(hours, 'actual')[5]?.[1]).toBeNull();
});

test('hours that are absent altogether break the line too', () => {
  const points = linePoints(hoursOf(makeForecast({ day: '2026-11-18', isPast: true })), 'actual');
  expect(points.filter(([, value]) => value === null)).toHaveLength(1);
});

test('a line without a single value is not drawn', () => {
  expect(series(forecastOption(scene({ hours: day('2026-11-18').map((hour) => ({ ...hour, operator: null })) }), palette), 'operator')).toBeUndefined();
});

test('ticks stand on the clock of the place on days of 23 and 25 hours', () => {
  const clocks = ['00:00', '03:00', '06:00', '09:00', '12:00', '15:00', '18:00', '21:00', '24:00'];
  expect(ticks({ hours: day('2026-03-08') })).toEqual(clocks);
  expect(ticks({ hours: day('2026-11-01') })).toEqual(clocks);
});

test('with the days before, midnights carry the day', () => {
  expect(ticks({})).toContain('Sun 22 Nov');
  expect(ticks({ isNarrow: true })).toContain('Sun 22');
});

test('doubted values are marked', () => {
  const hours = day('2026-11-18').map((hour, index) => (index === 3 ? { ...hour, doubts: ['frozen'] } : hour));
  const marked = series(forecastOption(scene({ hours }), palette), 'doubted');
  expect(marked?.data).toHaveLength(1);
});

function marksOf(wishes: Partial<Scene>) {
  return (series(forecastOption(scene(wishes), palette), 'marks') as LineSeriesOption).markLine?.data;
}

test('now is marked only where it is in sight', () => {
  expect(marksOf({})).toHaveLength(2);
  expect(marksOf({ hours: day('2026-11-18') })).toHaveLength(0);
});
