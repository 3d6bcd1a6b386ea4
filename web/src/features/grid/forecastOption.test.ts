import type { LineSeriesOption } from 'echarts/charts';
import { expect, test } from 'vitest';

import type { Palette } from '@/charts/palette';
import { type SiteName, makeForecast } from '@/test/fixtures';

import { type Scene, forecastOption } from './forecastOption';
import { type Interval, formatOf, intervalsOf } from './intervals';

const palette = new Proxy({}, { get: (_, name) => `var(${String(name)})` }) as Palette;

function scene(wishes: Partial<Scene> = {}): Scene {
  return {
    intervals: intervalsOf(makeForecast()),
    format: formatOf(makeForecast()),
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

interface Drawn {
  value: [number, number | null];
  symbol?: string;
}

function drawn(wishes: Partial<Scene>, id: string): Drawn[] {
  return (series(forecastOption(scene(wishes), palette), id) as LineSeriesOption).data as Drawn[];
}

const linePoints = (intervals: readonly Interval[], id: string) => drawn({ intervals }, id).map(({ value }) => value);

function ticks(wishes: Partial<Scene>): string[] {
  const option = forecastOption(scene(wishes), palette);
  const xAxis = [option.xAxis].flat()[0] as { axisLabel: { customValues: number[]; formatter: (value: number) => string } };
  return xAxis.axisLabel.customValues.map((value) => xAxis.axisLabel.formatter(value).replace(/[{}]|day\||clock\|/g, ''));
}

const day = (date: string, site: SiteName = 'ny'): Interval[] => intervalsOf(makeForecast({ site, day: date, isPast: true })).filter(({ part }) => part === 'day');

test('a value stands in the middle of its interval', () => {
  const intervals = day('2026-11-18');
  expect(linePoints(intervals, 'forecast')[0]?.[0]).toBe((intervals[0]?.start ?? 0) + 1_800_000);
});

test('a gap stays a gap', () => {
  const intervals = day('2026-11-18').map((interval, index) => (index === 5 ? { ...interval, actual: null } : interval));
  expect(linePoints(intervals, 'actual')[5]?.[1]).toBeNull();
});

test('intervals that are absent altogether break the line too', () => {
  const points = linePoints(intervalsOf(makeForecast({ day: '2026-11-18', isPast: true })), 'actual');
  expect(points.filter(([, value]) => value === null)).toHaveLength(1);
});

test('a line without a single value is not drawn', () => {
  expect(series(forecastOption(scene({ intervals: day('2026-11-18').map((interval) => ({ ...interval, operator: null })) }), palette), 'operator')).toBeUndefined();
});

test('ticks stand on the clock of the place on days of 23 and 25 hours', () => {
  const clocks = ['00:00', '03:00', '06:00', '09:00', '12:00', '15:00', '18:00', '21:00', '24:00'];
  expect(ticks({ intervals: day('2026-03-08') })).toEqual(clocks);
  expect(ticks({ intervals: day('2026-11-01') })).toEqual(clocks);
});

test('with the days before, midnights carry the day', () => {
  expect(ticks({})).toContain('Sun 22 Nov');
  expect(ticks({ isNarrow: true })).toContain('Sun 22');
});

test('doubted values are marked', () => {
  const intervals = day('2026-11-18').map((interval, index) => (index === 3 ? { ...interval, doubts: ['frozen'] } : interval));
  const marked = series(forecastOption(scene({ intervals }), palette), 'doubted');
  expect(marked?.data).toHaveLength(1);
});

function marksOf(wishes: Partial<Scene>) {
  return (series(forecastOption(scene(wishes), palette), 'marks') as LineSeriesOption).markLine?.data;
}

test('now is marked only where it is in sight', () => {
  expect(marksOf({})).toHaveLength(2);
  expect(marksOf({ intervals: day('2026-11-18') })).toHaveLength(0);
});

const of = (site: SiteName, wishes: Parameters<typeof makeForecast>[0] = {}): Partial<Scene> => {
  const forecast = makeForecast({ site, ...wishes });
  return { intervals: intervalsOf(forecast), format: formatOf(forecast) };
};

test('quarter hours stand in their middles, with ticks on the hours', () => {
  const intervals = day('2026-11-18', 'be');
  expect(drawn({ ...of('be'), intervals }, 'forecast')[1]?.value[0]).toBe((intervals[1]?.start ?? 0) + 450_000);
  expect(ticks({ ...of('be'), intervals })).toEqual(['00:00', '03:00', '06:00', '09:00', '12:00', '15:00', '18:00', '21:00', '24:00']);
});

test('what is known from a quarter past on has its ticks on full hours all the same', () => {
  const { intervals = [] } = of('be');
  const all = ticks(of('be'));
  const later = ticks({ ...of('be'), intervals: intervals.slice(1) });
  expect(later.length).toBeGreaterThan(0);
  expect(all.slice(-later.length)).toEqual(later);
});

test('days carry their date under their middle, over a change of the clock too', () => {
  const wishes = of('works', { day: '2026-10-27' });
  expect(ticks(wishes)).toEqual(['Sat 24 Oct', 'Sun 25 Oct', 'Tue 27 Oct']);
  expect(drawn(wishes, 'actual').map(({ value: [, value] }) => value === null)).toEqual([false, false, true, true]);
});

test('a value without neighbours is a dot, the others are none', () => {
  expect(drawn(of('works'), 'forecast').map(({ symbol }) => symbol)).toEqual([undefined, undefined, undefined, 'circle']);
  expect(drawn({}, 'forecast').some(({ symbol }) => symbol !== undefined)).toBe(false);
});

function axis(wishes: Partial<Scene>): { name: string; axisLabel: { formatter: (value: number) => string } } {
  return [forecastOption(scene(wishes), palette).yAxis].flat()[0] as ReturnType<typeof axis>;
}

test('the axis has the unit and the decimals of the channel', () => {
  expect(axis(of('be')).name).toBe('MW');
  expect(axis(of('be')).axisLabel.formatter(9812)).toBe('9,812');
  expect(axis(of('home')).name).toBe('kW');
  expect(axis(of('home')).axisLabel.formatter(0.5)).toMatch(/^0\.50?$/);
});

test('without a rival there is no line of one', () => {
  expect(series(forecastOption(scene(of('home')), palette), 'operator')).toBeUndefined();
});
