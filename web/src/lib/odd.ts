/** What was odd in a home or at a device, in sentences. */
import type { HomeInsightsAnswer } from '@/client';
import { formatNumber } from '@/lib/numbers';
import { DAY_MS, formatClock, formatInstant, formatShortDay } from '@/lib/time';
import { formatEnergy, formatPower } from '@/lib/usage';

type Oddities = NonNullable<HomeInsightsAnswer['oddities']>;
type Anomaly = Oddities['anomalies'][number];
type OddRun = Oddities['runs'][number];
type Shift = Oddities['shifts'][number];
type Change = NonNullable<HomeInsightsAnswer['habits']>['changes'][number];

export interface Odd {
  key: string;
  /** When it was. */
  when: string;
  /** What was seen, beside what is usual. */
  what: string;
  /** How sure that is. */
  evidence: string;
}

const SELDOM_WEEKS = 1000; // or more seldom
const WEEK = { size: 1, unit: 'weeks' };
const UNITS = [{ size: 52.18, unit: 'years' }, { size: 4.35, unit: 'months' }, WEEK]; // in weeks; told from two of them on

function flow(watts: number): string {
  return watts < 0 ? `${formatPower(-watts)} was fed in` : `${formatPower(watts)} was used`;
}

function usualFlow(watts: number): string {
  return watts < 0 ? `${formatPower(-watts)} fed in` : formatPower(watts);
}

export function anomalyInWords({ start, end, measured_w, expected_w, extra_kwh, once_in_weeks }: Anomaly, timeZone: string): Odd {
  const [from, to] = [Date.parse(start), Date.parse(end)];
  const energy = `${formatEnergy(Math.abs(extra_kwh))} ${extra_kwh < 0 ? 'less' : 'more'} than usual`;
  return {
    key: start,
    when: `${formatShortDay(from, timeZone)}, ${formatClock(from, timeZone)}–${formatClock(to, timeZone)}`,
    what: `${flow(measured_w)}, where ${usualFlow(expected_w)} is usual: ${energy}.`,
    evidence: seldomInWords(once_in_weeks),
  };
}

/** `By chance alone this comes about once in 14 months.` */
function seldomInWords(weeks: number): string {
  if (weeks >= SELDOM_WEEKS) return 'By chance alone this comes less than once in 19 years.';
  const { size, unit } = UNITS.find((each) => weeks >= 2 * each.size) ?? WEEK;
  return `By chance alone this comes about once in ${Math.round(weeks / size)} ${unit}.`;
}

const RUN_IN_WORDS: Record<string, (run: OddRun) => string> = {
  energy: ({ measured, usual }) => `A run used ${formatEnergy(measured)}, where ${formatEnergy(usual)} is usual.`,
  duration: ({ measured, usual, is_over }) => `${is_over ? 'It ran' : 'It has been running'} for ${formatHours(measured)}, where ${formatHours(usual)} is usual.`,
  clock: ({ usual }) => `It began at an hour at which it hardly ever does: most runs begin at about ${clock(Math.round(usual) % 24)}.`,
  count: ({ measured, usual }) => `It ran ${measured} times that day, where ${formatNumber(usual, 0)} is usual.`,
  pause: ({ measured, usual, is_over }) => `It ${is_over ? 'did not run' : 'has not run'} for ${formatNumber(measured, 0)} days, where ${formatNumber(usual, usual < 2 ? 1 : 0)} is usual.`,
};

function formatHours(hours: number): string {
  return hours < 2 ? `${Math.round(60 * hours)}\u00a0min` : `${formatNumber(hours, hours < 10 ? 1 : 0)}\u00a0h`;
}

export function runInWords(run: OddRun, timeZone: string): Odd {
  const [from, to] = [Date.parse(run.start), Date.parse(run.end)];
  const isLong = to - from >= DAY_MS;
  const until = isLong ? formatInstant(to, timeZone) : formatClock(to, timeZone);
  return {
    key: `${run.kind} ${run.start}`,
    when: `${formatShortDay(from, timeZone)}, ${formatClock(from, timeZone)}${isLong ? ' to ' : '–'}${until}`,
    what: RUN_IN_WORDS[run.kind]?.(run) ?? 'It was not as usual.',
    evidence: seldomInWords(run.once_in_weeks),
  };
}

export function shiftInWords({ day, change_w, low_w, high_w, n_days_after }: Shift): Odd {
  const direction = change_w < 0 ? 'lower' : 'higher';
  const ends = [Math.abs(low_w), Math.abs(high_w)].toSorted((a, b) => a - b).map(formatPower);
  return {
    key: `shift ${day}`,
    when: `Since ${formatShortDay(Date.parse(`${day}T12:00Z`), 'UTC')}`,
    what: `The load is ${formatPower(Math.abs(change_w))} ${direction} at all hours.`,
    evidence: `Between ${ends.join(' and ')} with 95\u00a0% probability; it has lasted ${n_days_after} days.`,
  };
}

/** `07:00`. */
function clock(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}

export function changeInWords({ first_hour, end_hour, days, before_kwh, after_kwh, after_low_kwh, after_high_kwh, n_days }: Change): Odd {
  const name = days.charAt(0).toUpperCase() + days.slice(1);
  return {
    key: `${days} ${first_hour}`,
    when: `${name}, ${clock(first_hour)}–${clock(end_hour)}`,
    what: `A changed habit: ${formatEnergy(after_kwh)} a day now, ${formatEnergy(before_kwh)} in the weeks before.`,
    evidence: `Between ${formatEnergy(after_low_kwh)} and ${formatEnergy(after_high_kwh)} with 95\u00a0% probability, from ${n_days} days.`,
  };
}

/** Lasting changes first, then runs and hours that were odd, the newest first. */
export function oddInWords({ oddities, habits }: Pick<HomeInsightsAnswer, 'oddities' | 'habits'>, timeZone: string): Odd[] {
  return [
    ...(oddities?.shifts ?? []).toReversed().map(shiftInWords),
    ...(habits?.changes ?? []).map(changeInWords),
    ...(oddities?.runs ?? []).toReversed().map((run) => runInWords(run, timeZone)),
    ...(oddities?.anomalies ?? []).toReversed().map((anomaly) => anomalyInWords(anomaly, timeZone)),
  ];
}

/** `339 hours were compared with the weeks before, Sun 8 Nov to Sun 22 Nov, 12:00`, and those that hardly could be. */
export function judgedInWords(oddities: Oddities, knownUntil: string | null, timeZone: string): string {
  const since = formatShortDay(Date.parse(`${oddities.first_day}T12:00Z`), 'UTC');
  const until = knownUntil === null ? '' : ` to ${formatInstant(Date.parse(knownUntil), timeZone)}`;
  const hidden = oddities.n_charging_hours > 0 ? `. In ${oddities.n_charging_hours} more a car without a meter of its own seems to charge, and hides most of what else was on` : '';
  const judged = oddities.n_runs === null ? `${oddities.n_hours.toLocaleString('en-US')} hours` : `${oddities.n_runs} ${oddities.n_runs === 1 ? 'run' : 'runs'}`;
  return `${judged} ${oddities.n_runs === 1 ? 'was' : 'were'} compared with the weeks before, ${since}${until}${hidden}`;
}
