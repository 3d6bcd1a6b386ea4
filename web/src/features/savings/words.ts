/** What was saved, in sentences; energy that moved is never called saved. */
import type { HomeSavings, SavingsRow } from '@/client';
import { formatCarbon, formatMoney, isNought } from '@/lib/money';
import { DAY_MS, formatClock, formatShortDay, localDay, shiftDay } from '@/lib/time';

import type { Span } from './queries';

export type Period = 'month' | 'last' | 'year';

/** The local days of a period; what ends now has no end. */
export function spanOf(period: Period, today: string): Span {
  const month = `${today.slice(0, 7)}-01`;
  if (period === 'month') return { start: null, end: null };
  if (period === 'year') return { start: `${today.slice(0, 4)}-01-01`, end: null };
  const last = shiftDay(month, -1);
  return { start: `${last.slice(0, 7)}-01`, end: last };
}

function gain(value: number | null, written: (size: number) => string, of = ''): { size: string; isGain: boolean } | null {
  if (value === null) return null;
  const size = written(Math.abs(value));
  return { size: `${size}${of}`, isGain: value >= 0 || isNought(size) };
}

/** `Saved 3.20 EUR and 4.10 kg CO2`, `Cost 0.10 EUR more, saved 0.80 kg CO2`; null where nothing of it is known. */
export function savedInWords(money: number | null, carbonKg: number | null, currency: string): string | null {
  const paid = gain(money, (size) => formatMoney(size, currency));
  const emitted = gain(carbonKg, formatCarbon, ' CO2');
  if (!paid && !emitted) return null;
  if (paid?.isGain && emitted?.isGain) return `Saved ${paid.size} and ${emitted.size}`;
  if (paid && emitted && !paid.isGain && !emitted.isGain) return `Cost ${paid.size} and emitted ${emitted.size} more`;
  const parts = [
    ...(paid ? [paid.isGain ? `saved ${paid.size}` : `cost ${paid.size} more`] : []),
    ...(emitted ? [emitted.isGain ? `saved ${emitted.size}` : `emitted ${emitted.size} more`] : []),
  ].join(', ');
  return `${parts.charAt(0).toUpperCase()}${parts.slice(1)}`;
}

const monthName = (day: string): string => new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(Date.parse(`${day}T12:00Z`));

/** What a row is called: the thing, the day or the month. */
export function nameOf(row: SavingsRow, by: HomeSavings['by']): string {
  if (by === 'month') return monthName(row.day);
  if (by === 'day') return formatShortDay(Date.parse(`${row.day}T12:00Z`), 'UTC');
  return row.name ?? 'All';
}

/** When a run was: `Fri 20 Nov, 02:15–04:15`; what ran past midnight names both days. */
export function whenOf({ start, end, kind, day }: SavingsRow, timeZone: string): string {
  if (kind === 'battery') return formatShortDay(Date.parse(`${day}T12:00Z`), 'UTC');
  const [from, to] = [Date.parse(start), Date.parse(end)];
  const isLong = to - from >= DAY_MS && localDay(from, timeZone) !== localDay(to, timeZone);
  return `${formatShortDay(from, timeZone)}, ${formatClock(from, timeZone)}–${isLong ? `${formatShortDay(to, timeZone)}, ` : ''}${formatClock(to, timeZone)}`;
}

/** How many of the runs a sum stands on, where it is not all. */
export function coverageInWords({ n_runs, n_priced, n_with_carbon, n_with_usual }: SavingsRow): string[] {
  const of = (n: number, what: string): string[] => (n < n_runs ? [`${what} of ${n} of ${n_runs} runs ${n === 1 ? 'is' : 'are'} known`] : []);
  return [...of(n_priced, 'Prices'), ...of(n_with_carbon, 'Carbon'), ...of(n_with_usual, 'Usual times')];
}
