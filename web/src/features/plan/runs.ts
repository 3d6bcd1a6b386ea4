/** The runs of a plan in words, and the deadlines a person may choose. */
import type { HomePlan, PlannedRun } from '@/client';
import { differenceInWords, formatMoney } from '@/lib/money';
import { formatQuantity } from '@/lib/numbers';
import { DAY_MS, HOUR_MS, formatClock, formatShortDay, localDay, shiftDay } from '@/lib/time';

const QUARTER_MS = HOUR_MS / 4;
const MINUTE_MS = 60_000;

/** `07:00`, `tomorrow 07:00`, `Tue 24 Nov, 07:00`. */
export function whenInWords(instant: number, timeZone: string, now: number): string {
  const [day, today] = [localDay(instant, timeZone), localDay(now, timeZone)];
  const clock = formatClock(instant, timeZone);
  if (day === today) return clock;
  return day === shiftDay(today, 1) ? `tomorrow ${clock}` : `${formatShortDay(instant, timeZone)}, ${clock}`;
}

/** `02:15–04:00`, with the day where it is not today. */
export function spanInWords({ start, end }: Pick<PlannedRun, 'start' | 'end'>, timeZone: string, now: number): string | null {
  if (start === null || end === null) return null;
  return `${whenInWords(Date.parse(start), timeZone, now)}–${formatClock(Date.parse(end), timeZone)}`;
}

/** `in 4 h`, `in 20 min`. */
function untilInWords(instant: number, now: number): string {
  const minutes = Math.max(0, Math.round((instant - now) / MINUTE_MS));
  if (minutes < 90) return `in ${minutes}\u00a0min`;
  return `in ${Math.round(minutes / 60)}\u00a0h`;
}

const RANKS = { running: 0, planned: 1, accepted: 1, skipped: 2, done: 3 };

function beginOf({ start, earliest }: PlannedRun): number {
  return Date.parse(start ?? earliest);
}

/** Those that run or may still be changed come first, as they begin; what is over stands last. */
export function inOrder(runs: readonly PlannedRun[]): PlannedRun[] {
  return runs.toSorted((a, b) => RANKS[a.state] - RANKS[b.state] || beginOf(a) - beginOf(b));
}

/** The answer of the page: what runs now, or what is next. */
export function nextInWords({ runs, time_zone }: HomePlan, now: number): string {
  const ordered = inOrder(runs);
  const running = ordered.filter(({ state }) => state === 'running');
  const next = ordered.find(({ state, start }) => (state === 'planned' || state === 'accepted') && start !== null);
  const soon = next?.start ? `${next.name} ${whenInWords(Date.parse(next.start), time_zone, now)}, ${untilInWords(Date.parse(next.start), now)}.` : null;
  const parts = [
    ...running.map(({ name, end }) => `Running now: ${name}${end ? ` until ${formatClock(Date.parse(end), time_zone)}` : ''}.`),
    ...(soon ? [`Next: ${soon}`] : []),
  ];
  return parts.length > 0 ? parts.join(' ') : 'Nothing is to run in the hours that are planned.';
}

/** What the plan comes to beside everything begun at once. */
export function gainInWords({ at_once, cost, carbon_kg, currency, from_stock }: HomePlan): string {
  const carbonKg = at_once.carbon_kg === null || carbon_kg === null ? null : at_once.carbon_kg - carbon_kg;
  const difference = differenceInWords({ money: at_once.cost - cost, carbonKg }, currency);
  if (difference === null) return 'It is expected to cost as much as starting everything at once.';
  const stock = from_stock ? ` About ${formatMoney(from_stock.money, currency)} of it is no gain of the plan, but energy that the battery ${from_stock.is_assumed ? 'is assumed to hold' : 'holds'} already (${formatQuantity(from_stock.energy_kwh, 'kWh', 1)}).` : '';
  return `Expected beside starting everything at once: ${difference}.${stock}`;
}

/** Full hours up to which a run may be put off or brought forward, and the deadline it has; in milliseconds. */
export function deadlinesOf(run: PlannedRun, plan: Pick<HomePlan, 'time' | 'step_minutes' | 'time_zone'>, now: number): number[] {
  const lasts = run.kind === 'appliance' && run.start !== null && run.end !== null ? Date.parse(run.end) - Date.parse(run.start) : QUARTER_MS;
  const begin = Math.ceil((Math.max(now, Date.parse(run.earliest)) + lasts) / MINUTE_MS) * MINUTE_MS;
  const past = Number(formatClock(begin, plan.time_zone).slice(-2)); // the full hours of some clocks are half hours of UTC
  const first = begin + ((60 - past) % 60) * MINUTE_MS;
  const own = Date.parse(run.deadline);
  const ends = Date.parse(plan.time.at(-1) ?? run.deadline) + plan.step_minutes * MINUTE_MS;
  const hours = Array.from({ length: Math.max(0, Math.floor((Math.min(ends, first + 2 * DAY_MS) - first) / HOUR_MS) + 1) }, (_, index) => first + index * HOUR_MS);
  return [...new Set([...hours, own])].toSorted((a, b) => a - b);
}
