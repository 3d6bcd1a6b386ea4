/** The picture of a day: band, lines, gaps as gaps, marks for now and for the time of issue. */
import type { LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';

import { bandSeries } from '@/charts/band';
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

/** The line up to its last value, so that its name stands where it ends. */
function line(name: LineName, hours: readonly Hour[], palette: Palette): LineSeriesOption {
  const last = hours.findLastIndex((hour) => hour[name] !== null);
  const data: [number, number | null][] = [];
  for (const [index, hour] of hours.slice(0, last + 1).entries()) {
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
    endLabel: { show: true, formatter: LINE_NAMES[name], color: palette.ink, fontSize: 12, distance: 6 },
    labelLayout: { moveOverlap: 'shiftY' },
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

function marks({ hours, now, issuedAt }: Scene, palette: Palette): LineSeriesOption {
  const begins = hours[0]?.start ?? 0;
  const ends = (hours.at(-1)?.start ?? 0) + HOUR_MS;
  const shown = [
    { name: 'issued', xAxis: issuedAt, color: palette.muted, type: [2, 3] },
    { name: 'now', xAxis: now, color: palette.accent, type: 'solid' as const },
  ].filter(({ xAxis }) => begins <= xAxis && xAxis <= ends);
  return {
    id: 'marks',
    type: 'line',
    silent: true,
    data: [],
    markLine: {
      silent: true,
      symbol: 'none',
      label: { formatter: '{b}', position: 'end', fontSize: 12, distance: 4 },
      data: shown.map(({ name, xAxis, color, type }) => ({
        name,
        xAxis,
        lineStyle: { color, type, width: 1.5 },
        label: { color },
      })),
    },
  };
}

/** Ticks stand on the place's own clock, so a day of 23 or 25 hours has them where its clock has them. */
function ticks(begins: number, ends: number, timeZone: string, isNarrow: boolean): number[] {
  const hourCount = Math.round((ends - begins) / HOUR_MS);
  const every = hourCount > 49 ? (isNarrow ? 24 : 12) : hourCount > 25 || isNarrow ? 6 : 3;
  const instants = Array.from({ length: hourCount + 1 }, (_, index) => begins + index * HOUR_MS);
  return instants.filter((instant) => Number(formatClock(instant, timeZone).slice(0, 2)) % every === 0);
}

export function forecastOption(scene: Scene, palette: Palette): ChartOption {
  const { hours, timeZone, unit, isSimulated, isNarrow } = scene;
  const begins = hours[0]?.start ?? 0;
  const ends = (hours.at(-1)?.start ?? 0) + HOUR_MS;
  const at = ticks(begins, ends, timeZone, isNarrow);
  const label = (instant: number): string =>
    formatClock(instant, timeZone) === '00:00' ? `{day|${formatShortDay(instant, timeZone)}}` : formatClock(instant, timeZone);
  const band = hours.map(({ start, lower, upper }) => ({ x: start + MIDDLE_MS, lower, upper }));
  const lines = (['naive', 'operator', 'forecast', 'actual'] as const).filter((name) => hours.some((hour) => hour[name] !== null));
  return {
    animation: false,
    textStyle: { fontFamily: 'inherit' },
    grid: { left: 4, right: 66, top: 30, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
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
        rich: { day: { color: palette.ink, fontWeight: 600, fontSize: 12 } },
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      scale: true,
      name: unit,
      nameLocation: 'end',
      nameGap: 14,
      nameTextStyle: { color: palette.muted, fontSize: 12, align: 'right', padding: [0, 6, 0, 0] },
      splitNumber: 4,
      axisLabel: { formatter: (value: number) => formatNumber(value), color: palette.muted, fontSize: 12 },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: [
      bandSeries('band', band, { fill: palette.loadBand, hatch: isSimulated ? palette.loadForecast : null }),
      ...lines.map((name) => line(name, hours, palette)),
      doubted(hours, palette),
      marks(scene, palette),
    ],
  };
}
