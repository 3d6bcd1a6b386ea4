/** The hours ahead of a home or a device, as the picture and the table of a day read them. */
import type { EntityAhead, Reading } from '@/client';
import { digitsFor, formatNumber } from '@/lib/numbers';
import { stepOf } from '@/lib/step';
import { HOUR_MS, formatAge, formatSpan, localDay, localIso, shiftDay, startOfDay } from '@/lib/time';

import { EMPTY, type Format, type Interval, doubtsOf, placer, shownQuantity, shownRange, shownValue } from './intervals';

/** The local days that are shown: the one in which the forecast begins, and the next, which it is about. */
export interface AheadDays {
  first: string;
  next: string;
  /** From the beginning of the one to the end of the other. [ms] */
  begins: number;
  ends: number;
}

/** Hours to ask for, so that tomorrow is always whole: two days, one of them of 25 hours. */
export const AHEAD_HOURS = 49;

export function daysOf({ start }: Pick<EntityAhead, 'start'>, timeZone: string): AheadDays {
  const first = localDay(Date.parse(start), timeZone);
  const next = shiftDay(first, 1);
  return { first, next, begins: startOfDay(first, timeZone), ends: startOfDay(shiftDay(first, 2), timeZone) };
}

/** Decimals follow the forecast, as those of `formatOf` do: one measured value that cannot be right would make all others zero. */
export function formatOfAhead({ points, unit, resolution_seconds }: EntityAhead, measured: readonly Reading[], timeZone: string): Format {
  const forecasts = points.map(({ value }) => value).filter((value) => value !== null);
  const digits = digitsFor(forecasts.length > 0 ? forecasts : measured.map(({ value }) => value));
  return {
    step: stepOf(resolution_seconds),
    timeZone,
    unit,
    digits,
    shownIn: { unit, divisor: 1, digits },
    rivals: [],
    hasDayAhead: false,
    hasTemperature: false,
  };
}

/** What was measured of the first day and what is forecast up to the end of the next, one row per interval. */
export function intervalsOfAhead(ahead: EntityAhead, measured: readonly Reading[], timeZone: string): Interval[] {
  const { begins, ends, next } = daysOf(ahead, timeZone);
  const nextBegins = startOfDay(next, timeZone);
  const isShown = ({ time }: { time: string }): boolean => begins <= Date.parse(time) && Date.parse(time) < ends;
  const points = ahead.points.filter(isShown);
  const aheadFrom = Date.parse(ahead.start);
  const before = measured.filter((row) => isShown(row) && Date.parse(row.time) < aheadFrom).map((row) => Object.assign({}, row, { local_time: localIso(Date.parse(row.time), timeZone) }));
  const place = placer([...before, ...points], { time_zone: timeZone, resolution_seconds: ahead.resolution_seconds });
  return [
    ...before.map((row): Interval => Object.assign({}, EMPTY, place(row), { part: 'known' as const, actual: row.value, flags: row.quality, doubts: doubtsOf(row.quality) })),
    ...points.map((point): Interval => {
      const placed = place(point);
      const { value, lower, upper, seasonal_naive } = point;
      const part = placed.start < nextBegins ? ('until' as const) : ('day' as const);
      return Object.assign({}, EMPTY, placed, { part, forecast: value, lower, upper, naive: seasonal_naive });
    }),
  ];
}

/** When the next day is highest, how high, and the 90 % interval of that one interval; null without a forecast of it. */
export function highestOf(intervals: readonly Interval[], { shownIn, timeZone }: Format): string | null {
  const day = intervals.filter(({ part, forecast }) => part === 'day' && forecast !== null);
  const highest = day.reduce<Interval | undefined>((best, each) => (best && (best.forecast ?? 0) >= (each.forecast ?? 0) ? best : each), undefined);
  if (!highest) return null;
  const words = `${shownQuantity(highest.forecast, shownIn)} between ${formatSpan(highest.start, highest.end, timeZone).replace('–', ' and ')}`;
  const range = shownRange(highest.lower, highest.upper, (value) => shownValue(value, shownIn));
  return highest.lower === null ? `${words}.` : `${words}; with 90\u00a0% probability ${range}\u00a0${shownIn.unit}.`;
}

const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });

/** What to expect of a device that is seldom on; null for anything that is not told by its uses. */
export function expectedUse({ days }: Pick<EntityAhead, 'days'>, day: string): string | null {
  const found = days.find((each) => each.day === day);
  if (!found) return null;
  const { probability, expected_kwh, lower_kwh, upper_kwh } = found;
  const energy = `${formatNumber(expected_kwh, 2)}\u00a0kWh expected`;
  const range = lower_kwh === null || upper_kwh === null ? '' : `; with 90\u00a0% probability ${shownRange(lower_kwh, upper_kwh, (value) => formatNumber(value, 2))}\u00a0kWh`;
  return `Runs with a probability of ${percent.format(probability)}, ${energy}${range}.`;
}

/** On how many days a forecast rests, in words: `35 days of readings`. */
export function historyInWords(first: string, until: string): string {
  const days = (Date.parse(until) - Date.parse(first)) / 86_400_000;
  if (days < 2) return `${formatNumber(days * 24)} hours of readings`;
  return `${formatNumber(Math.floor(days))} days of readings`;
}

/** `, learned from 12 homes, 3 days ago`; nothing where no trained model answers. */
export function learnedInWords({ learned_from, trained_at }: Pick<EntityAhead, 'learned_from' | 'trained_at'>, now: number): string {
  if (learned_from === null || trained_at === null) return '';
  const homes = learned_from === 1 ? 'its own past alone' : `${learned_from} homes`;
  return `, learned from ${homes}, ${formatAge(Math.max(0, now - Date.parse(trained_at)) / HOUR_MS)} ago`;
}
