/** What a device used over a day, a week or a month, as a picture and a table show it. */
import { EMPTY, type Format, type Interval, placer } from '@/charts/day/intervals';
import type { PastSpan, PastUseAnswer } from '@/client';
import { type Cell, toCsv } from '@/lib/csv';
import { digitsFor, formatNumber } from '@/lib/numbers';
import { stepOf } from '@/lib/step';
import { DAY_MS, shiftDay } from '@/lib/time';

export type Period = 'day' | 'week' | 'month';

export const PERIOD_DAYS: Record<Period, number> = { day: 1, week: 7, month: 30 };

/** The days that end with one, so many as the period has. */
export function daysTo(last: string, period: Period): { start: string; end: string } {
  return { start: shiftDay(last, 1 - PERIOD_DAYS[period]), end: last };
}

const KILO = 1000;
/** From this share on something is known whole; less would be written as 100 %. */
const WHOLE = 0.995;
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0, roundingMode: 'floor' });

/** Days are told by their energy, shorter spans by their mean power. */
function isOfDays({ step_seconds }: PastUseAnswer): boolean {
  return step_seconds * KILO >= DAY_MS;
}

/** Power in W, or in kW where it is large; energy of days in kWh. */
export function formatOfPast(past: PastUseAnswer): Format {
  const values = past.spans.map(({ kwh, mean_watts }) => (isOfDays(past) ? kwh : mean_watts));
  const isLarge = !isOfDays(past) && values.some((value) => value !== null && Math.abs(value) >= KILO);
  const unit = isOfDays(past) ? 'kWh' : isLarge ? 'kW' : 'W';
  const divisor = isLarge ? KILO : 1;
  const digits = digitsFor(values.map((value) => (value === null ? null : value / divisor)));
  return { step: stepOf(past.step_seconds), timeZone: past.time_zone, unit, digits, shownIn: { unit, divisor, digits }, rivals: [], hasDayAhead: false, hasTemperature: false };
}

/** Why a value speaks of less than its whole span. */
function doubtsOf({ kwh, known_share }: PastSpan): string[] {
  return kwh !== null && known_share < WHOLE ? [`only ${percent.format(known_share)} of it is known`] : [];
}

/** One row a span; what is known only in part says so. */
export function intervalsOfPast(past: PastUseAnswer): Interval[] {
  const place = placer(past.spans, { time_zone: past.time_zone, resolution_seconds: past.step_seconds });
  return past.spans.map((span): Interval =>
    Object.assign({}, EMPTY, place(span), { part: 'day' as const, actual: isOfDays(past) ? span.kwh : span.mean_watts, doubts: doubtsOf(span) }),
  );
}

/** The energy of all of it, and how much of the time it speaks of. */
export function sumInWords({ spans, kind }: PastUseAnswer): string {
  const known = spans.flatMap(({ kwh }) => (kwh === null ? [] : [kwh]));
  if (known.length === 0) return 'Nothing is known of these days.';
  const kwh = known.reduce((sum, each) => sum + each, 0);
  const share = spans.reduce((sum, { known_share }) => sum + known_share, 0) / spans.length;
  const energy = `${formatNumber(Math.abs(kwh), 2)}\u00a0kWh ${kwh < 0 ? 'fed in' : 'used'}`;
  return share < WHOLE ? `${energy} in the ${percent.format(share)} of the time that is known of this ${kind}.` : `${energy}.`;
}

export function csvOfPast({ spans }: PastUseAnswer): string {
  const rows = spans.map(({ time, local_time, end, kwh, mean_watts, known_share }): Cell[] => [time, local_time, end, kwh, mean_watts, known_share]);
  return toCsv(['time_utc', 'local_time', 'end_utc', 'energy_kwh', 'mean_power_w', 'known_share'], rows);
}
