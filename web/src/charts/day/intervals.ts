/** A forecast as the page reads it: one row per interval, the known past before the day itself. */
import type { ForecastPoint, ForecastRegion, GridForecast, GridWeek, ShownIn } from '@/client';
import { type Cell, unitSuffix } from '@/lib/csv';
import { digitsFor, formatNumber } from '@/lib/numbers';
import { type Step, stepOf } from '@/lib/step';
import { DAY_MS, formatShortDay, formatSpan, intervalEnd } from '@/lib/time';

export interface Interval {
  start: number;
  end: number;
  localTime: string;
  /** `17:00–17:15`, with zone letters on a day whose clock changes; the day where an interval is one. */
  label: string;
  /** The known past, the hours between it and the day, the day that is shown, and tomorrow while that is today. */
  part: 'known' | 'until' | 'day' | 'after';
  forecast: number | null;
  lower: number | null;
  upper: number | null;
  /** The forecast of the hour of issue, where it is not the one above. */
  dayAhead: number | null;
  /** The first rival's value. */
  operator: number | null;
  /** Every rival's value by its name. */
  rivals: Readonly<Record<string, number | null>>;
  actual: number | null;
  /** Whether it was measured after the forecast was made that is shown. */
  isLater: boolean;
  naive: number | null;
  temperature: number | null;
  /** Whether that is a weather forecast. */
  isWarmthForecast: boolean;
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
  /** How picture, sentence and readout write values; the table and the file keep the unit of the channel. */
  shownIn: ShownIn;
  /** Who else forecasts the channel, the best known first. */
  rivals: readonly string[];
  hasDayAhead: boolean;
  hasTemperature: boolean;
  /** Nothing but what was measured is shown. */
  isMeasuredAlone?: true;
  /** What is forecast, which decides its colour; a load if nothing is named. */
  quantity?: 'carbon';
  /** What the dotted line is, and its column in the file, where it is not the same time last week. */
  usual?: { name: string; column: string };
}

const OFFSET = /(?:Z|[+-]\d\d:\d\d)$/;

/** Flags that speak against a value; others, such as an assumed time of publication, do not. */
const DOUBTS: Record<string, string> = {
  zero: 'a zero, which is not possible here',
  frozen: 'the same value for hours',
  out_of_range: 'outside what is possible here',
  unusual: 'far from what is usual here',
  estimated: 'estimated by the source',
};

const known = (value: number | null): value is number => value !== null;

/** Decimals follow the forecasts of the day, as on the command line; without any, what was measured. */
export function formatOf(forecast: GridForecast): Format {
  const { region, unit, points, known: before, shown_in, day_ahead, temperature } = forecast;
  const forecasts = points.map(({ value }) => value).filter(known);
  const measured = [...points.map(({ actual }) => actual), ...before.map(({ value }) => value)];
  return {
    step: stepOf(region.resolution_seconds),
    timeZone: region.time_zone,
    unit,
    digits: digitsFor(forecasts.length > 0 ? forecasts : measured),
    shownIn: shown_in,
    rivals: [...new Set(points.flatMap((point) => Object.keys(point.rivals)))],
    hasDayAhead: day_ahead.length > 0,
    hasTemperature: temperature !== null,
  };
}

/** A week is written as a day is, without what belongs to one issue. */
export function formatOfWeek(week: GridWeek, region: ForecastRegion): Format {
  return {
    step: stepOf(region.resolution_seconds),
    timeZone: region.time_zone,
    unit: week.unit,
    digits: digitsFor(week.points.flatMap(({ value, actual }) => [value, actual])),
    shownIn: week.shown_in,
    rivals: [...new Set(week.points.flatMap((point) => Object.keys(point.rivals)))],
    hasDayAhead: false,
    hasTemperature: false,
  };
}

type Placed = Pick<Interval, 'start' | 'end' | 'localTime' | 'label'>;

/** Names intervals by their ends; with zone letters where the clock changes among them. */
export function placer(points: readonly { local_time: string }[], { time_zone: zone, resolution_seconds }: Pick<ForecastRegion, 'time_zone' | 'resolution_seconds'>): (point: { time: string; local_time: string }) => Placed {
  const { ms } = stepOf(resolution_seconds);
  const offsets = new Set(points.map(({ local_time }) => local_time.match(OFFSET)?.[0]));
  return ({ time, local_time }) => {
    const start = Date.parse(time);
    const end = intervalEnd(start, ms, zone);
    const label = ms === DAY_MS ? formatShortDay(start, zone) : formatSpan(start, end, zone, offsets.size > 1);
    return { start, end, localTime: local_time, label };
  };
}

export const EMPTY = {
  forecast: null,
  lower: null,
  upper: null,
  dayAhead: null,
  operator: null,
  rivals: {},
  actual: null,
  isLater: false,
  naive: null,
  temperature: null,
  isWarmthForecast: false,
  flags: [],
  doubts: [],
} as const satisfies Partial<Interval>;

export const doubtsOf = (flags: readonly string[]): string[] => flags.filter((flag) => flag in DOUBTS);

function ofDay(point: ForecastPoint): Omit<Interval, keyof Placed | 'part'> {
  return {
    ...EMPTY,
    forecast: point.value,
    lower: point.lower,
    upper: point.upper,
    operator: point.operator,
    rivals: point.rivals,
    actual: point.actual,
    naive: point.seasonal_naive,
    flags: point.actual_quality,
    doubts: doubtsOf(point.actual_quality),
  };
}

/** Everything around a day, one row per interval: what was measured, what is forecast and what had been. */
export function intervalsOf(forecast: GridForecast): Interval[] {
  const { points, known: before, later, newest, day_ahead, temperature, region } = forecast;
  const isLive = newest !== null;
  const dayBegins = Date.parse(points[0]?.time ?? '9999');
  const dayEnds = Date.parse(points.at(-1)?.time ?? '9999');
  const place = placer([...before.filter(({ time }) => Date.parse(time) < dayBegins), ...points], region);
  const rows = new Map<number, Interval>();
  const put = (point: { time: string; local_time: string }, values: Partial<Interval>): void => {
    const placed = place(point);
    const at = placed.start;
    const part = at < dayBegins ? 'until' : at > dayEnds ? 'after' : 'day';
    rows.set(at, { ...EMPTY, part, ...placed, ...rows.get(at), ...values });
  };
  for (const point of before) if (Date.parse(point.time) < dayBegins) put(point, { part: 'known', actual: point.value });
  for (const point of later) put(point, { actual: point.value, isLater: !isLive, flags: point.quality, doubts: doubtsOf(point.quality) });
  for (const point of points) put(point, { ...ofDay(point), isLater: !isLive && point.actual !== null });
  if (newest) {
    const day = day_ahead.find((each) => each.day === forecast.day);
    // On the day that runs, its own points are those of its hour of issue: the newest forecast takes their place.
    if (forecast.issued_at !== newest.issued_at || day) {
      for (const point of points) put(point, { forecast: null, lower: null, upper: null });
    }
    for (const issue of day_ahead) for (const point of issue.points) put(point, { dayAhead: point.value });
    for (const { time, local_time, value, lower, upper, operator } of newest.points) {
      const said = rows.get(Date.parse(time))?.operator ?? operator ?? null;
      put({ time, local_time }, { forecast: value, lower, upper, operator: said });
    }
  }
  for (const { time, value, measured } of temperature?.points ?? []) {
    const row = rows.get(Date.parse(time));
    if (row) rows.set(row.start, { ...row, temperature: value, isWarmthForecast: !measured });
  }
  return [...rows.values()].toSorted((a, b) => a.start - b.start);
}

/** The intervals of seven days, each with what was said of it the day before. */
export function intervalsOfWeek(week: GridWeek, region: ForecastRegion): Interval[] {
  const place = placer(week.points, region);
  return week.points.map((point): Interval => ({ ...ofDay(point), ...place(point), part: 'day' }));
}

/** Where the value of an interval stands on the axis of time. */
export function middleOf({ start, end }: Interval): number {
  return (start + end) / 2;
}

/** The interval to show before anybody points: on the day that runs the running one, else the day's highest. */
export function intervalToStartWith(intervals: readonly Interval[], now: number): number {
  const running = intervals.findIndex(({ part, start, end }) => part === 'day' && start <= now && now < end);
  if (running >= 0) return running;
  const height = ({ part, forecast, actual }: Interval): number => (part === 'day' ? (forecast ?? actual ?? -Infinity) : -Infinity);
  const dayBegins = Math.max(0, intervals.findIndex(({ part }) => part === 'day'));
  return intervals.reduce((best, interval, index) => {
    const highest = intervals[best];
    return index > dayBegins && highest && height(interval) > height(highest) ? index : best;
  }, dayBegins);
}

/** A value as picture, sentence and readout write it: `17.34 GWh`. */
export function shownValue(value: number | null | undefined, { divisor, digits }: ShownIn): string {
  return formatNumber(value === null || value === undefined ? null : value / divisor, digits);
}

export function shownQuantity(value: number | null | undefined, shownIn: ShownIn): string {
  return value === null || value === undefined ? formatNumber(null) : `${shownValue(value, shownIn)}\u00a0${shownIn.unit}`;
}

/** Both ends of a band, `0.31–1.40 kW`; below nought a dash would look like a minus. */
export function shownRange(lower: number | null, upper: number | null, write: (value: number) => string): string {
  if (lower === null || upper === null) return formatNumber(null);
  return `${write(lower)}${lower < 0 ? ' to ' : '–'}${write(upper)}`;
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
export function csvHeader({ unit, rivals, usual }: Format): string[] {
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
    `${usual?.column ?? 'seasonal_naive'}_${suffix}`,
    `day_ahead_${suffix}`,
    'temperature_degc',
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
    interval.dayAhead,
    interval.temperature,
    isSimulated,
    ...rivals.slice(1).map((rival) => interval.rivals[rival]),
  ]);
}
