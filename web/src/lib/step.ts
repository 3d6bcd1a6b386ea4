/** The length of a channel's intervals, and what an interval is called on the page. */
import { DAY_MS, HOUR_MS } from '@/lib/time';

export interface Step {
  ms: number;
  /** One interval, as in `choose an hour`. */
  one: string;
  /** Many of them, as in `720 hours`. */
  many: string;
  /** The head of a column of intervals. */
  head: string;
  /** `Hour by hour`. */
  title: string;
  /** `each hour`, `each 15 minutes`. */
  each: string;
}

const DAYS: Step = { ms: DAY_MS, one: 'a day', many: 'days', head: 'Day', title: 'Day by day', each: 'each day' };
const HOURS: Step = { ms: HOUR_MS, one: 'an hour', many: 'hours', head: 'Hour', title: 'Hour by hour', each: 'each hour' };

/** The step of so many seconds; a day is a local one, of 23 to 25 hours. */
export function stepOf(seconds: number): Step {
  const ms = seconds * 1000;
  if (ms === DAY_MS) return DAYS;
  if (ms === HOUR_MS) return HOURS;
  const length = `${seconds / 60} minutes`;
  return { ms, one: 'an interval', many: 'intervals', head: 'Time', title: `In steps of ${length}`, each: `each ${length}` };
}

/** How many intervals so many hours are, at least one. */
export function intervalsIn(hours: number, { ms }: Step): number {
  return Math.max(1, Math.round((hours * HOUR_MS) / ms));
}
