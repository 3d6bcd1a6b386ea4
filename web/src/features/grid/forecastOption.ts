/** The picture of a day: band, lines, gaps as gaps, marks for now and for the time of issue. */
import type { LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';

import { bandSeries } from '@/charts/band';
import { type Caption, captionSeries } from '@/charts/captions';
import type { Palette } from '@/charts/palette';
import type { ChartOption } from '@/charts/types';
import { type Format, type Interval, middleOf, rivalName } from './intervals';
import { axisDigits, formatNumber } from '@/lib/numbers';
import { DAY_MS, HOUR_MS, formatClock, formatShortDay } from '@/lib/time';

export interface Scene {
  intervals: readonly Interval[];
  format: Format;
  now: number;
  issuedAt: number;
  isSimulated: boolean;
  isNarrow: boolean;
}

/** As --font-sans begins; ECharts measures text itself and cannot follow a token. */
const FONT = 'system-ui, sans-serif';

export type LineName = 'forecast' | 'operator' | 'actual' | 'naive';

/** What the lines are called; the picture shows the first rival only. */
export function lineNames({ rivals }: Format): Record<LineName, string> {
  return { forecast: 'Forecast', operator: rivalName(rivals[0] ?? 'operator'), actual: 'Actual', naive: 'Last week' };
}

function lineLook(name: LineName, palette: Palette): NonNullable<LineSeriesOption['lineStyle']> {
  return {
    forecast: { color: palette.loadForecast, width: 2.5 },
    operator: { color: palette.rival, width: 1.75, type: [6, 4] },
    actual: { color: palette.load, width: 2.5 },
    naive: { color: palette.naive, width: 1.5, type: [1.5, 3.5], cap: 'round' as const },
  }[name];
}

function line(name: LineName, { intervals, format }: Scene, palette: Palette): LineSeriesOption {
  const points: [number, number | null][] = [];
  for (const [index, interval] of intervals.entries()) {
    const before = intervals[index - 1];
    // Intervals that are absent altogether are a gap as much as intervals without a value.
    if (before && interval.start > before.end) points.push([(before.end + interval.start) / 2, null]);
    points.push([middleOf(interval), interval[name]]);
  }
  // No line leads to a value between two gaps, so it is drawn as a dot.
  const isAlone = (index: number): boolean => (points[index - 1]?.[1] ?? null) === null && (points[index + 1]?.[1] ?? null) === null;
  const { color } = lineLook(name, palette);
  return {
    id: name,
    name: lineNames(format)[name],
    type: 'line',
    silent: true,
    data: points.map((value, index) => (isAlone(index) && value[1] !== null ? { value, symbol: 'circle', symbolSize: 8 } : { value })),
    symbol: 'none',
    itemStyle: { color: color ?? palette.ink },
    connectNulls: false,
    lineStyle: lineLook(name, palette),
    z: { naive: 2, operator: 3, forecast: 4, actual: 5 }[name],
  };
}

/** Values somebody should doubt stay in sight, as hollow diamonds. */
function doubted(intervals: readonly Interval[], palette: Palette): ScatterSeriesOption {
  return {
    id: 'doubted',
    type: 'scatter',
    silent: true,
    z: 7,
    symbol: 'diamond',
    symbolSize: 12,
    itemStyle: { color: palette.surface, borderColor: palette.warn, borderWidth: 2 },
    data: intervals.filter(({ doubts, actual }) => doubts.length > 0 && actual !== null).map((interval) => [middleOf(interval), interval.actual ?? 0]),
  };
}

interface Mark {
  name: string;
  x: number;
  color: string;
  dashes: 'solid' | [number, number];
  place: 'left' | 'right';
}

function marksOf({ intervals, now, issuedAt }: Scene, palette: Palette): Mark[] {
  const begins = intervals[0]?.start ?? 0;
  const ends = intervals.at(-1)?.end ?? 0;
  const marks: Mark[] = [
    { name: 'issued', x: issuedAt, color: palette.muted, dashes: [2, 3], place: 'left' },
    { name: 'now', x: now, color: palette.accent, dashes: 'solid', place: 'right' },
  ];
  return marks.filter(({ x }) => begins <= x && x <= ends);
}

function markLines(marks: readonly Mark[]): LineSeriesOption {
  return {
    id: 'marks',
    type: 'line',
    silent: true,
    data: [],
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      data: marks.map(({ name, x, color, dashes }) => ({ name, xAxis: x, lineStyle: { color, type: dashes, width: 1.5 } })),
    },
  };
}

/** Each line's name where it ends, each mark's name above it, and a word in the gap between the known and the day. */
function captions(scene: Scene, lines: readonly LineName[], marks: readonly Mark[], palette: Palette): Caption[] {
  const { intervals, format } = scene;
  const named = lines.flatMap((name): Caption[] => {
    const last = intervals.findLast((interval) => interval[name] !== null);
    if (!last) return [];
    const before = intervals[intervals.indexOf(last) - 1]?.[name] ?? null;
    const isFalling = before !== null && (last[name] ?? 0) < before;
    const place = last === intervals.at(-1) ? 'after' : isFalling ? 'below' : 'above';
    return [{ text: lineNames(format)[name], x: middleOf(last), y: last[name], place, color: palette.ink }];
  });
  const marked = marks.map(({ name, x, color, place }): Caption => ({ text: name, x, y: null, place, color }));
  return [...named, ...marked];
}

// The clocks of all places are whole quarters of an hour apart.
const QUARTER_MS = HOUR_MS / 4;

/** Ticks stand on the place's own clock, so a day of 23 or 25 hours has them where its clock has them. */
function ticks({ intervals, format, isNarrow }: Scene, begins: number, ends: number): number[] {
  if (format.step.ms === DAY_MS) return intervals.map(middleOf);
  const hourCount = Math.round((ends - begins) / HOUR_MS);
  const every = hourCount > 49 ? (isNarrow ? 24 : 12) : hourCount > 25 || isNarrow ? 6 : 3;
  const first = Math.ceil(begins / QUARTER_MS) * QUARTER_MS;
  const instants = Array.from({ length: Math.floor((ends - first) / QUARTER_MS) + 1 }, (_, index) => first + index * QUARTER_MS);
  return instants.filter((instant) => {
    const [hour, minute] = formatClock(instant, format.timeZone).split(':');
    return Number(hour) % every === 0 && minute === '00';
  });
}

function tickLabel(instant: number, { format, isNarrow }: Scene, begins: number, ends: number): string {
  const clock = formatClock(instant, format.timeZone);
  const isDaily = format.step.ms === DAY_MS;
  if (!isDaily && ends - begins <= 25 * HOUR_MS) return `{clock|${clock === '00:00' && instant === ends ? '24:00' : clock}}`;
  if (!isDaily && clock !== '00:00') return `{clock|${clock}}`;
  const day = formatShortDay(instant, format.timeZone);
  return `{day|${isNarrow ? day.split(' ').slice(0, 2).join(' ') : day}}`;
}

const CHARACTER_PX = 7;

/** The decimals of the axis, and the room that its numbers and its unit need left of the chart. */
function axisLook({ intervals, format }: Scene): { digits: number; left: number } {
  const values = intervals
    .flatMap(({ forecast, operator, actual, naive, lower, upper }) => [forecast, operator, actual, naive, lower, upper])
    .filter((value) => value !== null);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const digits = values.length > 0 ? axisDigits(lowest, highest) : 0;
  const longest = Math.max(...[lowest, highest].map((value) => formatNumber(value, digits).length), format.unit.length);
  return { digits, left: 14 + CHARACTER_PX * longest };
}

export function forecastOption(scene: Scene, palette: Palette): ChartOption {
  const { intervals, format, isSimulated } = scene;
  const begins = intervals[0]?.start ?? 0;
  const ends = intervals.at(-1)?.end ?? 0;
  const at = ticks(scene, begins, ends);
  const { digits, left } = axisLook(scene);
  const marks = marksOf(scene, palette);
  const band = intervals.map((interval) => ({
    x: middleOf(interval),
    lower: interval.lower,
    upper: interval.upper,
    reach: (interval.end - interval.start) / 2,
  }));
  const lines = (['naive', 'operator', 'forecast', 'actual'] as const).filter((name) => intervals.some((interval) => interval[name] !== null));
  const longestName = Math.max(0, ...lines.map((name) => lineNames(format)[name].length));
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left, right: Math.max(66, 3 + CHARACTER_PX * longestName), top: 26, bottom: 26, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      min: begins,
      max: ends,
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: true, customValues: at, lineStyle: { color: palette.line } },
      axisLabel: {
        customValues: at,
        formatter: (instant: number) => tickLabel(instant, scene, begins, ends),
        color: palette.muted,
        fontSize: 12,
        hideOverlap: true,
        rich: { day: { color: palette.ink, fontWeight: 600, fontSize: 12 }, clock: { color: palette.muted, fontSize: 12 } },
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      scale: true,
      name: format.unit,
      nameLocation: 'end',
      nameGap: 14,
      axisLine: { show: false },
      axisTick: { show: false },
      nameTextStyle: { color: palette.muted, fontSize: 12, align: 'right', padding: [0, 6, 0, 0] },
      splitNumber: 4,
      axisLabel: { formatter: (value: number) => formatNumber(value, digits), color: palette.muted, fontSize: 12 },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: [
      bandSeries('band', band, { fill: palette.loadBand, hatch: isSimulated ? palette.surface : null }),
      ...lines.map((name) => line(name, scene, palette)),
      doubted(intervals, palette),
      markLines(marks),
      captionSeries('captions', captions(scene, lines, marks, palette), { fontFamily: FONT, ground: palette.surface }),
    ],
  };
}
