/** A made-up home with what the server says of it. */
import type { EntityAhead, Reading, SiteAhead } from '@/client';
import { HOUR_MS, localIso } from '@/lib/time';

import { NOW } from './fixtures';

export const ZONE = 'Europe/Paris';
const iso = (instant: number): string => new Date(instant).toISOString().replace('.000', '');

/** A kettle's worth at breakfast and supper, a fridge's in between. [kW] */
function shape(instant: number): number {
  const hour = Number(localIso(instant, ZONE).slice(11, 13));
  return { 7: 1.4, 8: 0.9, 18: 1.1, 19: 2.2, 20: 1.6 }[hour] ?? 0.2;
}

export function makeEntity({ start = '2026-11-21T14:00:00Z', hours = 49 }: { start?: string; hours?: number } = {}): EntityAhead {
  const begin = Date.parse(start);
  const points = Array.from({ length: hours }, (_, index) => {
    const at = begin + index * HOUR_MS;
    const value = shape(at);
    return { time: iso(at), local_time: localIso(at, ZONE), value, lower: value * 0.5, upper: value * 2, quantiles: {}, operator: null, seasonal_naive: value * 1.1 };
  });
  return {
    kind: 'site',
    id: 'flat',
    name: 'Flat',
    channels: ['home.flat.power'],
    unit: 'kW',
    resolution_seconds: 3600,
    simulated: false,
    start,
    end: iso(begin + hours * HOUR_MS),
    issued_at: NOW,
    known_until: start,
    data_age_hours: 0.33,
    stale: false,
    archive: false,
    made_by: 'similar_series',
    model_version: 'similar_series',
    model_label: 'Similar series',
    fallback: null,
    missing_inputs: [],
    made_of: [],
    points,
  };
}

export function makeAhead(entity: Partial<EntityAhead> = {}): SiteAhead {
  const made = { ...makeEntity(), ...entity };
  return { site: 'flat', name: 'Flat', kind: 'home', time_zone: ZONE, simulated: made.simulated, hours: 49, generated_at: NOW, forecasts: [made], not_forecast: [] };
}

export function makeReadings(from: string, to: string): Reading[] {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  return Array.from({ length: (end - begin) / HOUR_MS }, (_, index) => {
    const at = begin + index * HOUR_MS;
    const known = iso(at + HOUR_MS);
    return { time: iso(at), value: shape(at), available_at: known, recorded_at: known, quality: [] };
  });
}
