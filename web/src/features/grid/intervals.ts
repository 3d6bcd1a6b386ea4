/** A forecast as the page reads it: one row per interval, the known past before the day itself. */
import type { ForecastPoint, GridForecast, KnownPoint } from '@/client';
import { type Cell, unitSuffix } from '@/lib/csv';
import { digitsFor } from '@/lib/numbers';
import { type Step, stepOf } from '@/lib/step';
import { DAY_MS, formatShortDay, formatSpan, intervalEnd } from '@/lib/time';

export interface Interval {
  start: number;
  end: number;
  localTime: string;
  /** `17:00–17:15`, with zone letters on a day whose clock changes; the day where an interval is one. */
  label: string;
  part: 'known' | 'day';
  forecast: number | null;
  lower: number | null;
  upper: number | null;
  /** The first rival's value. */
  operator: number | null;
  /** Every rival's value by its name. */
  rivals: Readonly<Record<string, number | null>>;
  actual: number | null;
  naive: number | null;
  /** Everything the source or our checks say about the actual. */
  flags: readonly string[];
  /** Those flags that speak against the value. */
  doubts: readonly string[];
}

/** How the intervals of a channel are written, in the picture, the table and the file alike. */
export interface Format {
  step: Step;
  timeZone: string;
  unit: string;
  /** Decimals of a value. */
  digits: number;
  /** Who else forecasts the channel, the best known first. */
  rivals: readonly string[];
}

const OFFSET = /(?:Z|[+-]\d\d:\d\d)$/;

/** Flags that speak against a value; others, such as an assumed time of publication, do not. */
const DOUBTS: Record<string, string> = {
  zero: 'a zero, which cannot be here',
  frozen: 'the same value for hours',
  out_of_range: 'outside what is possible here',
  unusual: 'far from what is usual here',
  estimated: 'estimated by the source',
};

/** Decimals follow the forecasts of the day, as on the command line; without any, what was measured. */
export function formatOf({ region, unit, points, known }: GridForecast): Format {
  const forecasts = points.map(({ value }) => value).filter((value) => value !== null);
  const measured = [...points.map(({ actual }) => actual), ...known.map(({ value }) => value)];
  return {
    step: stepOf(region.resolution_seconds),
    timeZone: region.time_zone,
    unit,
    digits: digitsFor(forecasts.length > 0 ? forecasts : measured),
    rivals: [...new Set(points.flatMap((point) => Object.keys(point.rivals)))],
  };
}

export function intervalsOf({ points, known, region }: GridForecast): Interval[] {
  const zone = region.time_zone;
  const { ms } = stepOf(region.resolution_seconds);
  const [first] = points;
  const dayBegins = first ? Date.parse(first.time) : Infinity;
  const earlier = known.filter(({ time }) => Date.parse(time) < dayBegins);
  const offsets = new Set([...earlier, ...points].map(({ local_time }) => local_time.match(OFFSET)?.[0]));
  const place = ({ time, local_time }: KnownPoint | ForecastPoint) => {
    const start = Date.parse(time);
    const end = intervalEnd(start, ms, zone);
    const label = ms === DAY_MS ? formatShortDay(start, zone) : formatSpan(start, end, zone, offsets.size > 1);
    return { start, end, localTime: local_time, label };
  };
  const asKnown = (point: KnownPoint): Interval => ({
    ...place(point),
    part: 'known',
    forecast: null,
    lower: null,
    upper: null,
    operator: null,
    rivals: {},
    actual: point.value,
    naive: null,
    flags: [],
    doubts: [],
  });
  const ofDay = (point: ForecastPoint): Interval => ({
    ...place(point),
    part: 'day',
    forecast: point.value,
    lower: point.lower,
    upper: point.upper,
    operator: point.operator,
    rivals: point.rivals,
    actual: point.actual,
    naive: point.seasonal_naive,
    flags: point.actual_quality,
    doubts: point.actual_quality.filter((flag) => flag in DOUBTS),
  });
  return [...earlier.map(asKnown), ...points.map(ofDay)];
}

/** Where the value of an interval stands on the axis of time. */
export function middleOf({ start, end }: Interval): number {
  return (start + end) / 2;
}

/** The interval to show before anybody points: the one that is running, else the day's highest. */
export function intervalToStartWith(intervals: readonly Interval[], now: number): number {
  const running = intervals.findIndex(({ start, end }) => start <= now && now < end);
  if (running >= 0) return running;
  const height = ({ forecast, actual }: Interval): number => forecast ?? actual ?? -Infinity;
  const dayBegins = Math.max(0, intervals.findIndex(({ part }) => part === 'day'));
  return intervals.reduce((best, interval, index) => {
    const highest = intervals[best];
    return index > dayBegins && highest && height(interval) > height(highest) ? index : best;
  }, dayBegins);
}

/** Why a value is doubted, in words. */
export function doubtsInWords(doubts: readonly string[]): string {
  return doubts.map((doubt) => DOUBTS[doubt] ?? doubt).join(', ');
}

/** What a rival is called on the page: `operator` is the Operator. */
export function rivalName(rival: string): string {
  const words = rival.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `operator_mwh` is the first rival's; further ones have columns of their own at the end. */
export function csvHeader({ unit, rivals }: Format): string[] {
  const suffix = unitSuffix(unit);
  return [
    'time_utc',
    'local_time',
    'part',
    `forecast_${suffix}`,
    `lower90_${suffix}`,
    `upper90_${suffix}`,
    `operator_${suffix}`,
    `actual_${suffix}`,
    'actual_quality',
    `seasonal_naive_${suffix}`,
    'simulated',
    ...rivals.slice(1).map((rival) => `${rival}_${suffix}`),
  ];
}

export function csvRows(intervals: readonly Interval[], { rivals }: Format, isSimulated: boolean): Cell[][] {
  return intervals.map((interval) => [
    new Date(interval.start).toISOString().replace('.000', ''),
    interval.localTime,
    interval.part,
    interval.forecast,
    interval.lower,
    interval.upper,
    interval.operator,
    interval.actual,
    interval.flags.join(' '),
    interval.naive,
    isSimulated,
    ...rivals.slice(1).map((rival) => interval.rivals[rival]),
  ]);
}
