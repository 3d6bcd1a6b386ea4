/** The picture of a day: band, lines, gaps as gaps, marks for now and for the time of issue. */
import type { LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';

import { bandSeries } from '@/charts/band';
import { type Caption, captionSeries } from '@/charts/captions';
import type { Palette } from '@/charts/palette';
import type { ChartOption } from '@/charts/types';
import { type Hour, MIDDLE_MS } from './hours';
import { formatNumber } from '@/lib/numbers';
import { HOUR_MS, formatClock, formatShortDay } from '@/lib/time';

export interface Scene {
  hours: readonly Hour[];
  timeZone: string;
  unit: string;
  now: number;
  issuedAt: number;
  isSimulated: boolean;
  isNarrow: boolean;
}

/** As --font-sans begins; ECharts measures text itself and cannot follow a token. */
const FONT = 'system-ui, sans-serif';

type LineName = 'forecast' | 'operator' | 'actual' | 'naive';

export const LINE_NAMES: Record<LineName, string> = {
  forecast: 'Forecast',
  operator: 'Operator',
  actual: 'Actual',
  naive: 'Last week',
};

function lineLook(name: LineName, palette: Palette): NonNullable<LineSeriesOption['lineStyle']> {
  return {
    forecast: { color: palette.loadForecast, width: 2.5 },
    operator: { color: palette.rival, width: 1.75, type: [6, 4] },
    actual: { color: palette.load, width: 2.5 },
    naive: { color: palette.naive, width: 1.5, type: [1.5, 3.5], cap: 'round' as const },
  }[name];
}

function line(name: LineName, hours: readonly Hour[], palette: Palette): LineSeriesOption {
  const data: [number, number | null][] = [];
  for (const [index, hour] of hours.entries()) {
    const before = hours[index - 1];
    // Hours that are absent altogether are a gap as much as hours without a value.
    if (before && hour.start - before.start > HOUR_MS) data.push([before.start + HOUR_MS + MIDDLE_MS, null]);
    data.push([hour.start + MIDDLE_MS, hour[name]]);
  }
  return {
    id: name,
    name: LINE_NAMES[name],
    type: 'line',
    silent: true,
    data,
    showSymbol: false,
    connectNulls: false,
    lineStyle: lineLook(name, palette),
    z: { naive: 2, operator: 3, forecast: 4, actual: 5 }[name],
  };
}

/** Values somebody should doubt stay in sight, as hollow diamonds. */
function doubted(hours: readonly Hour[], palette: Palette): ScatterSeriesOption {
  return {
    id: 'doubted',
    type: 'scatter',
    silent: true,
    z: 7,
    symbol: 'diamond',
    symbolSize: 12,
    itemStyle: { color: palette.surface, borderColor: palette.warn, borderWidth: 2 },
    data: hours.filter(({ doubts, actual }) => doubts.length > 0 && actual !== null).map((hour) => [hour.start + MIDDLE_MS, hour.actual ?? 0]),
  };
}

interface Mark {
  name: string;
  x: number;
  color: string;
  dashes: 'solid' | [number, number];
  place: 'left' | 'right';
}

function marksOf({ hours, now, issuedAt }: Scene, palette: Palette): Mark[] {
  const begins = hours[0]?.start ?? 0;
  const ends = (hours.at(-1)?.start ?? 0) + HOUR_MS;
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
  const { hours } = scene;
  const named = lines.flatMap((name): Caption[] => {
    const last = hours.findLast((hour) => hour[name] !== null);
    if (!last) return [];
    const before = hours[hours.indexOf(last) - 1]?.[name] ?? null;
    const isFalling = before !== null && (last[name] ?? 0) < before;
    const place = last === hours.at(-1) ? 'after' : isFalling ? 'below' : 'above';
    return [{ text: LINE_NAMES[name], x: last.start + MIDDLE_MS, y: last[name], place, color: palette.ink }];
  });
  const marked = marks.map(({ name, x, color, place }): Caption => ({ text: name, x, y: null, place, color }));
  return [...named, ...marked];
}

/** Ticks stand on the place's own clock, so a day of 23 or 25 hours has them where its clock has them. */
function ticks(begins: number, ends: number, timeZone: string, isNarrow: boolean): number[] {
  const hourCount = Math.round((ends - begins) / HOUR_MS);
  const every = hourCount > 49 ? (isNarrow ? 24 : 12) : hourCount > 25 || isNarrow ? 6 : 3;
  const instants = Array.from({ length: hourCount + 1 }, (_, index) => begins + index * HOUR_MS);
  return instants.filter((instant) => Number(formatClock(instant, timeZone).slice(0, 2)) % every === 0);
}

function tickLabel(instant: number, timeZone: string, { isOneDay, isNarrow, ends }: { isOneDay: boolean; isNarrow: boolean; ends: number }): string {
  const clock = formatClock(instant, timeZone);
  if (isOneDay) return `{clock|${clock === '00:00' && instant === ends ? '24:00' : clock}}`;
  if (clock !== '00:00') return `{clock|${clock}}`;
  const day = formatShortDay(instant, timeZone);
  return `{day|${isNarrow ? day.split(' ').slice(0, 2).join(' ') : day}}`;
}

/** Room for the numbers left of the chart. */
function widestNumber(hours: readonly Hour[]): number {
  const highest = Math.max(0, ...hours.map(({ forecast, actual, upper }) => Math.max(forecast ?? 0, actual ?? 0, upper ?? 0)));
  return 14 + 7 * formatNumber(highest).length;
}

export function forecastOption(scene: Scene, palette: Palette): ChartOption {
  const { hours, timeZone, unit, isSimulated, isNarrow } = scene;
  const begins = hours[0]?.start ?? 0;
  const ends = (hours.at(-1)?.start ?? 0) + HOUR_MS;
  const at = ticks(begins, ends, timeZone, isNarrow);
  const isOneDay = ends - begins <= 25 * HOUR_MS;
  const label = (instant: number): string => tickLabel(instant, timeZone, { isOneDay, isNarrow, ends });
  const marks = marksOf(scene, palette);
  const band = hours.map(({ start, lower, upper }) => ({ x: start + MIDDLE_MS, lower, upper }));
  const lines = (['naive', 'operator', 'forecast', 'actual'] as const).filter((name) => hours.some((hour) => hour[name] !== null));
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: widestNumber(hours), right: 66, top: 26, bottom: 26, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      min: begins,
      max: ends,
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: true, customValues: at, lineStyle: { color: palette.line } },
      axisLabel: {
        customValues: at,
        formatter: label,
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
      name: unit,
      nameLocation: 'end',
      nameGap: 14,
      axisLine: { show: false },
      axisTick: { show: false },
      nameTextStyle: { color: palette.muted, fontSize: 12, align: 'right', padding: [0, 6, 0, 0] },
      splitNumber: 4,
      axisLabel: { formatter: (value: number) => formatNumber(value), color: palette.muted, fontSize: 12 },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: [
      bandSeries('band', band, { fill: palette.loadBand, hatch: isSimulated ? palette.surface : null }),
      ...lines.map((name) => line(name, hours, palette)),
      doubted(hours, palette),
      markLines(marks),
      captionSeries('captions', captions(scene, lines, marks, palette), { fontFamily: FONT, ground: palette.surface }),
    ],
  };
}
