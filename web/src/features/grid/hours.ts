/** A forecast as the page reads it: one row per hour, the known past before the day itself. */
import type { GridForecast } from '@/client';
import type { Cell } from '@/lib/csv';
import { HOUR_MS, formatHour } from '@/lib/time';

export interface Hour {
  start: number;
  localTime: string;
  /** `17:00–18:00`, with zone letters on a day whose clock changes. */
  label: string;
  part: 'known' | 'day';
  forecast: number | null;
  lower: number | null;
  upper: number | null;
  operator: number | null;
  actual: number | null;
  naive: number | null;
  /** Everything the source or our checks say about the actual. */
  flags: readonly string[];
  /** Those flags that speak against the value. */
  doubts: readonly string[];
}

const OFFSET = /(?:Z|[+-]\d\d:\d\d)$/;

/** Flags that speak against a value; others, such as an assumed time of publication, do not. */
const DOUBTS: Record<string, string> = {
  zero: 'a zero, which demand cannot be',
  frozen: 'the same value for hours',
  out_of_range: 'outside what is possible here',
  estimated: 'estimated by the source',
};

export const MIDDLE_MS = HOUR_MS / 2;

export function hoursOf({ points, known, region }: GridForecast): Hour[] {
  const zone = region.time_zone;
  const [first] = points;
  const dayBegins = first ? Date.parse(first.time) : Infinity;
  const earlier = known.filter(({ time }) => Date.parse(time) < dayBegins);
  const offsets = new Set([...earlier, ...points].map(({ local_time }) => local_time.match(OFFSET)?.[0]));
  const label = (time: string): string => formatHour(Date.parse(time), zone, offsets.size > 1);
  return [
    ...earlier.map(
      ({ time, local_time, value }): Hour => ({
        start: Date.parse(time),
        localTime: local_time,
        label: label(time),
        part: 'known',
        forecast: null,
        lower: null,
        upper: null,
        operator: null,
        actual: value,
        naive: null,
        flags: [],
        doubts: [],
      }),
    ),
    ...points.map(
      (point): Hour => ({
        start: Date.parse(point.time),
        localTime: point.local_time,
        label: label(point.time),
        part: 'day',
        forecast: point.value,
        lower: point.lower,
        upper: point.upper,
        operator: point.operator,
        actual: point.actual,
        naive: point.seasonal_naive,
        flags: point.actual_quality,
        doubts: point.actual_quality.filter((flag) => flag in DOUBTS),
      }),
    ),
  ];
}

/** The hour to show before anybody points: the one that is running, else the day's highest. */
export function hourToStartWith(hours: readonly Hour[], now: number): number {
  const running = hours.findIndex(({ start }) => start <= now && now < start + HOUR_MS);
  if (running >= 0) return running;
  const height = ({ part, forecast, actual }: Hour): number => (part === 'day' ? (forecast ?? actual ?? 0) : -1);
  return hours.reduce((best, hour, index) => (height(hour) > height(hours[best] ?? hour) ? index : best), 0);
}

/** Why a value is doubted, in words. */
export function doubtsInWords(doubts: readonly string[]): string {
  return doubts.map((doubt) => DOUBTS[doubt] ?? doubt).join(', ');
}

export const CSV_HEADER = [
  'time_utc',
  'local_time',
  'part',
  'forecast_mwh',
  'lower90_mwh',
  'upper90_mwh',
  'operator_mwh',
  'actual_mwh',
  'actual_quality',
  'seasonal_naive_mwh',
  'simulated',
] as const;

export function csvRows(hours: readonly Hour[], isSimulated: boolean): Cell[][] {
  return hours.map((hour) => [
    new Date(hour.start).toISOString().replace('.000', ''),
    hour.localTime,
    hour.part,
    hour.forecast,
    hour.lower,
    hour.upper,
    hour.operator,
    hour.actual,
    hour.flags.join(' '),
    hour.naive,
    isSimulated,
  ]);
}
