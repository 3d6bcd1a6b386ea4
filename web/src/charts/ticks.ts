/** Marks of an axis of time. */
import type { Tick, View } from '@/charts/types';
import { HOUR_MS, formatClock, formatShortDay } from '@/lib/time';

// The clocks of all places are whole quarters of an hour apart.
const QUARTER_MS = HOUR_MS / 4;
const EVERY_HOURS = [0.25, 1, 2, 3, 6, 12, 24, 48, 96];
const CLOCK_PX = 46;
const DAY_PX = 112; // a day's name and a clock time after it
const SHORT_DAY_PX = 52;

/** Ticks stand on the place's own clock, so a day of 23 or 25 hours has them where its clock has them. */
export function clockTicks([from, to]: View, width: number, timeZone: string, [begins, ends]: View): Tick[] {
  const hours = (to - from) / HOUR_MS;
  const isOneDay = ends - begins <= 25 * HOUR_MS;
  const every = EVERY_HOURS.find((step) => (step * width) / hours >= (isOneDay ? CLOCK_PX : step < 24 ? DAY_PX : SHORT_DAY_PX)) ?? 168;
  const first = Math.ceil(from / QUARTER_MS) * QUARTER_MS;
  const instants = Array.from({ length: Math.max(0, Math.floor((to - first) / QUARTER_MS) + 1) }, (_, index) => first + index * QUARTER_MS);
  let day = -1;
  return instants.flatMap((at): Tick[] => {
    const clock = formatClock(at, timeZone);
    const [hour = 0, minute = 0] = clock.split(':').map(Number);
    const isMidnight = clock === '00:00';
    if (isMidnight) day += 1;
    if (isOneDay) {
      const isWanted = (hour + minute / 60) % every === 0;
      return isWanted ? [{ at, label: isMidnight && at === ends ? '24:00' : clock, anchor: 'middle', isStrong: false }] : [];
    }
    if (isMidnight) {
      const isNamed = day % Math.max(1, every / 24) === 0 && ((to - at) * width) / (to - from) > SHORT_DAY_PX;
      return at === ends && !isNamed ? [] : [{ at, label: isNamed ? formatShortDay(at, timeZone).replace(/ \w+$/, every >= 24 ? '' : '$&') : '', anchor: 'start', isStrong: true }];
    }
    const isWanted = every < 24 && (hour + minute / 60) % every === 0;
    return isWanted && ((to - at) * width) / (to - from) > 16 ? [{ at, label: clock, anchor: 'middle', isStrong: false }] : [];
  });
}
