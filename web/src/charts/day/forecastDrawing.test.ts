import { expect, test } from 'vitest';

import { extentOf } from '@/charts/layout';
import type { LineShape, Shape } from '@/charts/types';
import { type SiteName, makeForecast, makeWeek } from '@/test/fixtures';

import { type Scene, forecastDrawing } from './forecastDrawing';
import { type Interval, formatOf, formatOfWeek, intervalsOf, intervalsOfWeek, middleOf } from './intervals';

const WIDE = 1000;

function scene(wishes: Partial<Scene> = {}): Scene {
  return {
    intervals: intervalsOf(makeForecast()),
    format: formatOf(makeForecast()),
    now: Date.parse('2026-11-21T14:20Z'),
    issuedAt: Date.parse('2026-11-21T13:00Z'),
    isSimulated: false,
    ...wishes,
  };
}

function shapes(wishes: Partial<Scene> = {}, panel = 'load'): readonly Shape[] {
  return forecastDrawing(scene(wishes)).panels.find(({ id }) => id === panel)?.shapes ?? [];
}

function line(wishes: Partial<Scene>, id: string, panel = 'load'): LineShape | undefined {
  return shapes(wishes, panel).find((shape): shape is LineShape => shape.kind === 'line' && shape.id === id);
}

function ticks(wishes: Partial<Scene>, width = WIDE): string[] {
  const drawing = forecastDrawing(scene(wishes));
  return drawing
    .ticks(drawing.domain, width)
    .map(({ label }) => label)
    .filter((label) => label !== '');
}

const day = (date: string, site: SiteName = 'ny'): Interval[] => intervalsOf(makeForecast({ site, day: date, isPast: true })).filter(({ part }) => part === 'day');

const of = (site: SiteName, wishes: Parameters<typeof makeForecast>[0] = {}): Partial<Scene> => {
  const forecast = makeForecast({ site, ...wishes });
  return { intervals: intervalsOf(forecast), format: formatOf(forecast) };
};

test('a value stands in the middle of its interval, in the unit that reads better', () => {
  const intervals = day('2026-11-18');
  const [first] = line({ intervals }, 'forecast')?.points ?? [];
  expect(first?.[0]).toBe((intervals[0]?.start ?? 0) + 1_800_000);
  expect(first?.[1]).toBeCloseTo((intervals[0]?.forecast ?? 0) / 1000);
  expect(forecastDrawing(scene({ intervals })).panels[0]?.unit).toBe('GWh');
});

test('a gap stays a gap', () => {
  const intervals = day('2026-11-18').map((interval, index) => (index === 5 ? { ...interval, forecast: null } : interval));
  expect(line({ intervals }, 'forecast')?.points[5]?.[1]).toBeNull();
});

test('intervals that are absent altogether break lines and band', () => {
  const wishes = of('ny', { day: '2026-11-18', isPast: true });
  expect(line(wishes, 'forecast')?.points.some(([, value], index) => value === null && index === 48)).toBe(true);
  const band = shapes(wishes).find(({ kind }) => kind === 'band');
  expect(band?.points).toHaveLength((wishes.intervals?.length ?? 0) + 1);
});

test('a line without a single value is not drawn', () => {
  const intervals = day('2026-11-18').map((interval) => ({ ...interval, operator: null }));
  expect(line({ intervals }, 'operator')).toBeUndefined();
});

test('the newest forecast goes on from the last reading to the end of tomorrow', () => {
  const { points = [] } = line({}, 'forecast') ?? {};
  const said = points.filter(([, value]) => value !== null);
  expect(said).toHaveLength(18 + 24); // the rest of today and tomorrow
  expect(said[0]?.[0]).toBe(Date.parse('2026-11-21T11:30Z'));
});

test('what was said at the hour of issue is a thin line of its own', () => {
  const intervals = day('2026-11-18').map((interval) => ({ ...interval, dayAhead: 17_000 }));
  const thin = line({ intervals }, 'dayAhead');
  expect(thin?.width).toBeLessThan(line({ intervals }, 'forecast')?.width ?? 0);
  expect(thin?.name).toBe('Day-ahead');
  expect(line({}, 'dayAhead')).toBeUndefined();
});

test('what was measured after the issue is paler and goes on from what was known', () => {
  const all = of('ny', { day: '2026-11-18', isPast: true });
  expect(line(all, 'actual')?.isFaint).toBeUndefined();
  expect(line(all, 'later')?.isFaint).toBe(true);
  const joined = (all.intervals ?? []).filter(({ part }) => part === 'day').map((interval, index) => ({ ...interval, isLater: index > 9 }));
  expect(line({ ...all, intervals: joined }, 'actual')?.points[9]).toEqual(line({ ...all, intervals: joined }, 'later')?.points[9]);
});

test('on the days that run, everything measured is equally strong', () => {
  expect(line({}, 'later')).toBeUndefined();
});

test('temperature has a panel and an axis of its own, dotted where it is forecast', () => {
  const panel = forecastDrawing(scene({})).panels.find(({ id }) => id === 'temperature');
  expect(panel?.unit).toBe('°C');
  expect(panel?.title).toBe('Temperature, dotted where forecast');
  expect(line({}, 'temperature-ahead', 'temperature')?.dashes).toBeDefined();
  expect(forecastDrawing(scene(of('home'))).panels).toHaveLength(1);
});

test('invented data is hatched', () => {
  const hatched = [true, false].map((isSimulated) => shapes({ isSimulated }).some((shape) => shape.kind === 'band' && shape.isHatched));
  expect(hatched).toEqual([true, false]);
});

test('ticks stand on the clock of the place on days of 23 and 25 hours', () => {
  const clocks = ['00:00', '02:00', '04:00', '06:00', '08:00', '10:00', '12:00', '14:00', '16:00', '18:00', '20:00', '22:00', '24:00'];
  expect(ticks({ intervals: day('2026-03-08') })).toEqual(clocks.filter((clock) => clock !== '02:00')); // an hour that is skipped
  expect(ticks({ intervals: day('2026-11-01') })).toEqual(clocks);
});

test('with other days beside it, midnights carry the day', () => {
  expect(ticks({})).toContain('Sun 22 Nov');
  expect(ticks({}, 200)).toContain('Sun 22');
});

test('a narrow chart has fewer ticks', () => {
  const intervals = day('2026-11-18');
  expect(ticks({ intervals }, 300).length).toBeLessThan(ticks({ intervals }).length);
});

test('who comes nearer sees more ticks', () => {
  const drawing = forecastDrawing(scene({}));
  const [from] = drawing.domain;
  expect(drawing.ticks([from, from + 6 * 3_600_000], WIDE).map(({ label }) => label)).toContain('07:00');
});

test('doubted values are marked', () => {
  const intervals = day('2026-11-18').map((interval, index) => (index === 3 ? { ...interval, doubts: ['frozen'] } : interval));
  expect(shapes({ intervals }).find(({ kind }) => kind === 'doubts')?.points).toHaveLength(1);
});

test('a measured value that cannot be right does not stretch the axis, one that is partly known does', () => {
  const [first, second] = [middleOf(day('2026-11-18')[3] as Interval), middleOf(day('2026-11-18')[4] as Interval)];
  const intervals = day('2026-11-18').map((interval, index) =>
    index === 3 ? { ...interval, actual: 1e300, flags: ['out_of_range'], doubts: ['out_of_range'] } : index === 4 ? { ...interval, actual: 19_000, doubts: ['only 60% of it is known'] } : interval,
  );
  const measured = shapes({ intervals }).filter((shape) => shape.kind === 'line' && (shape.id === 'actual' || shape.id === 'later'));
  expect(measured.map((shape) => (shape.kind === 'line' ? shape.doubted : null))).toEqual(measured.map(() => new Set([first])));
  expect(extentOf({ id: 'load', unit: 'MW', marks: 4, shapes: shapes({ intervals }) }, [first, second])[1]).toBeGreaterThanOrEqual(19);
  expect(extentOf({ id: 'load', unit: 'MW', marks: 4, shapes: shapes({ intervals }) }, [first, second])[1]).toBeLessThan(100);
});

const marks = (wishes: Partial<Scene>): string[] => forecastDrawing(scene(wishes)).marks.map(({ name }) => name);

test('now is marked only where it is in sight', () => {
  expect(marks({})).toEqual(['now']);
  expect(marks({ intervals: day('2026-11-18') })).toEqual([]);
});

test('the time of issue is marked where it is not just now', () => {
  const past = of('ny', { day: '2026-11-18', isPast: true });
  const intervals = past.intervals ?? [];
  expect(marks({ intervals, issuedAt: (intervals[40]?.start ?? 0) + 1 })).toEqual(['issued']);
});

test('quarter hours stand in their middles, with ticks on the hours', () => {
  const intervals = day('2026-11-18', 'be');
  expect(line({ ...of('be'), intervals }, 'forecast')?.points[1]?.[0]).toBe((intervals[1]?.start ?? 0) + 450_000);
  expect(ticks({ ...of('be'), intervals }).every((label) => label.endsWith(':00'))).toBe(true);
});

test('days carry their date under their middle, over a change of the clock too', () => {
  const wishes = of('works', { day: '2026-10-27' });
  expect(ticks(wishes)).toEqual(['Sat 24 Oct', 'Sun 25 Oct', 'Tue 27 Oct']);
});

test('without a rival there is no line of one', () => {
  expect(line(of('home'), 'operator')).toBeUndefined();
});

test('a week has seven days, and no forecast where none was kept', () => {
  const forecast = makeForecast();
  const week = makeWeek();
  const intervals = intervalsOfWeek(week, forecast.region);
  const wishes = { intervals, format: formatOfWeek(week, forecast.region), issuedAt: null };
  expect(intervals).toHaveLength(7 * 24);
  expect(line(wishes, 'forecast')?.points.slice(0, 24).every(([, value]) => value === null)).toBe(true);
  expect(line(wishes, 'forecast')?.points[24]?.[1]).not.toBeNull();
  expect(ticks(wishes)).toHaveLength(7);
});
