/** Times as a place sees them: instants are UTC, words are in the place's own zone. */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

// Making a formatter costs a hundred times what using one does.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, options]);
  const made = formatters.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formatters.set(key, made);
  return made;
}

function partsOf(instant: number, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  return formatter('en-GB', { timeZone, ...options }).format(instant).replaceAll(' at ', ', ');
}

/** `EST`, `CET`; only where a zone has no letters of its own does it become `GMT+9`. */
export function zoneAbbreviation(instant: number, timeZone: string): string {
  const named = ['en-US', 'en-GB', 'en-AU'].map(
    (locale) =>
      formatter(locale, { timeZone, timeZoneName: 'short' })
        .formatToParts(instant)
        .find((part) => part.type === 'timeZoneName')?.value ?? '',
  );
  return named.find((name) => name !== '' && !/^(?:GMT|UTC)[+-]/.test(name)) ?? named[0] ?? '';
}

/** `17:00`. */
export function formatClock(instant: number, timeZone: string): string {
  return partsOf(instant, timeZone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** `Sun 22 Nov`. */
export function formatShortDay(instant: number, timeZone: string): string {
  return partsOf(instant, timeZone, { weekday: 'short', day: 'numeric', month: 'short' }).replace(',', '');
}

/** `Sun 22 Nov, 08:00 EST`; the year is said where it is not the one of `now`. */
export function formatInstant(instant: number, timeZone: string, now = instant): string {
  const year = partsOf(instant, timeZone, { year: 'numeric' });
  const said = year === partsOf(now, timeZone, { year: 'numeric' }) ? '' : ` ${year}`;
  return `${formatShortDay(instant, timeZone)}${said}, ${formatClock(instant, timeZone)} ${zoneAbbreviation(instant, timeZone)}`;
}

/** `Sunday 22 November 2026` for a calendar day, which has no zone. */
export function formatDay(day: string): string {
  const written = formatter('en-GB', { timeZone: 'UTC', dateStyle: 'full' }).format(Date.parse(`${day}T00:00Z`));
  return written.replace(',', '');
}

/** The calendar day so many days later. */
export function shiftDay(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The calendar day it is at an instant in a place. */
export function localDay(instant: number, timeZone: string): string {
  return formatter('sv-SE', { timeZone }).format(instant);
}

/** The local time of an instant with its distance from UTC, `2026-11-22T17:00-05:00`. */
export function localIso(instant: number, timeZone: string): string {
  const offset = formatter('en-US', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(instant)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const written = offset === 'GMT' ? '+00:00' : (offset ?? '').replace('GMT', '');
  return `${localDay(instant, timeZone)}T${formatClock(instant, timeZone)}${written}`;
}

/** The instant a calendar day begins in a place. */
export function startOfDay(day: string, timeZone: string): number {
  // Clocks of all places are whole quarters of an hour apart, and at most 14 hours from UTC.
  const first = Date.parse(`${day}T00:00Z`) - 15 * HOUR_MS;
  let [before, at] = [0, 30 * 4]; // in quarters; the day begins after the one, and not after the other
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2);
    if (localDay(first + (middle * HOUR_MS) / 4, timeZone) < day) before = middle;
    else at = middle;
  }
  return first + (at * HOUR_MS) / 4;
}

/** `Tomorrow`, `Today`, `Yesterday`, or nothing. */
export function relativeDay(day: string, today: string): string | null {
  const distance = Math.round((Date.parse(day) - Date.parse(today)) / DAY_MS);
  return { '-1': 'Yesterday', '0': 'Today', '1': 'Tomorrow' }[String(distance)] ?? null;
}

/** The instant an interval ends; one of a day ends at the next local midnight, 23 to 25 hours on. */
export function intervalEnd(start: number, stepMs: number, timeZone: string): number {
  if (stepMs !== DAY_MS) return start + stepMs;
  const today = localDay(start, timeZone);
  const ends = [23, 23.5, 24, 24.5].map((hours) => start + hours * HOUR_MS);
  return ends.find((instant) => localDay(instant, timeZone) > today) ?? start + 25 * HOUR_MS;
}

/** The name of a span by both its ends, `17:00–17:15`; with the zone's letters where a clock hour comes twice. */
export function formatSpan(start: number, end: number, timeZone: string, withZone = false): string {
  const [from, to] = [start, end].map((instant) => formatClock(instant, timeZone));
  if (!withZone) return `${from}–${to}`;
  const [before, after] = [start, end].map((instant) => zoneAbbreviation(instant, timeZone));
  return before === after ? `${from}–${to} ${after}` : `${from} ${before}–${to} ${after}`;
}

/** `12 min`, `3 h`, `5 days`. */
export function formatAge(hours: number): string {
  if (hours < 1) return `${Math.max(1, Math.round(hours * 60))}\u00a0min`;
  if (hours < 48) return `${Math.round(hours)}\u00a0h`;
  return `${Math.round(hours / 24).toLocaleString('en-US')}\u00a0days`;
}
