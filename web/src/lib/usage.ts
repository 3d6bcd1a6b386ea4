/** What a home and its parts draw now and used today, and how powers and energies are written. */
import { queryOptions } from '@tanstack/react-query';

import { type HomeUsageAnswer, type PartUsageEntry, usage } from '@/client';
import { liveKeys, serverNow } from '@/lib/live';
import { digitsFor, formatQuantity } from '@/lib/numbers';
import { unwrap } from '@/lib/problem';
import { formatAge } from '@/lib/time';

const HALF_MINUTE_MS = 30_000;
const KILO = 1000;

/** Asked for every half minute too: where no live line can be opened, and to tell what has fallen silent. */
export const usageQuery = (home: string) =>
  queryOptions({
    queryKey: liveKeys(home).usage,
    queryFn: ({ signal }) => unwrap(usage({ path: { home }, signal })),
    refetchInterval: HALF_MINUTE_MS,
  });

export type { HomeUsageAnswer as Usage, PartUsageEntry as PartUsage } from '@/client';

/** Of the home itself. */
export function mainsOf({ parts }: HomeUsageAnswer): PartUsageEntry | undefined {
  return parts.find(({ part_kind }) => part_kind === 'home');
}

/** `85 W`, `1.16 kW`. */
export function formatPower(watts: number | null | undefined): string {
  if (watts === null || watts === undefined || Math.abs(watts) < KILO) return formatQuantity(watts, 'W', watts && Math.abs(watts) < 10 ? 1 : 0);
  return formatQuantity(watts / KILO, 'kW', digitsFor([watts / KILO]));
}

/** `3.24 kWh`, `43.1 kWh`; more decimals than two say nothing of a day. */
export function formatEnergy(kwh: number | null | undefined): string {
  return formatQuantity(kwh, 'kWh', Math.min(2, digitsFor([kwh])));
}

/** How long ago something was, `12 s`, `3 min`, by the server's clock and the time since its answer. */
export function formatSince(instant: string, { at }: Pick<HomeUsageAnswer, 'at'>, answeredAt: number, now: number): string {
  const seconds = Math.max(0, (serverNow(at, answeredAt, now) - Date.parse(instant)) / 1000);
  return seconds < 60 ? `${Math.floor(seconds)}\u00a0s` : formatAge(seconds / 3600);
}
