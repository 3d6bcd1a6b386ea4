/** A made-up home with what the server says of it. */
import type { EntityAhead, HomeEntry, HomeInsightsAnswer, HomeUsageAnswer, PartUsageEntry, Reading, SiteAhead, Status } from '@/client';
import { HOUR_MS, localIso } from '@/lib/time';

import { NOW, makeStatus } from './fixtures';
import type { Answers } from './page';

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
    return { time: iso(at), local_time: localIso(at, ZONE), value, lower: value * 0.5, upper: value * 2, quantiles: {}, operator: null, seasonal_naive: value * 1.1, probability: null, expected_kwh: null };
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
    trained_at: null,
    learned_from: null,
    fallback: null,
    missing_inputs: [],
    made_of: [],
    days: [],
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

export function makeHome({ id = 'flat', name = 'Flat', measured = true, simulated = false } = {}): HomeEntry {
  const span = measured ? { first_time: '2026-10-01T22:00:00Z', last_time: '2026-11-21T13:00:00Z' } : { first_time: null, last_time: null };
  return {
    id,
    name,
    kind: 'home',
    time_zone: ZONE,
    latitude: null,
    longitude: null,
    holidays: 'FR',
    zone: null,
    points: [],
    described_in: 'store',
    simulated,
    main_channel: `home.${id}.power`,
    channels: [{ id: `home.${id}.power`, quantity: 'power', unit: 'kW', resolution_seconds: 3600, ...span, device: null, zone: null }],
    weather: 'none',
    model: null,
    next: [],
    zones: [],
    devices: [],
  };
}

const MAINS: PartUsageEntry = {
  channel: 'home.flat.power',
  part: 'home',
  part_kind: 'home',
  name: 'Flat',
  device_kind: null,
  power_watts: 1156,
  heard_at: '2026-11-21T14:19:52Z',
  age_seconds: 8,
  is_late: false,
  today_kwh: 3.24,
  today_until: '2026-11-21T14:00:00Z',
  yesterday_same_time_kwh: 3.94,
  yesterday_kwh: 9.4,
  known_share_today: 1,
};
const NOTHING = { power_watts: null, heard_at: null, age_seconds: null, is_late: false, today_kwh: null, today_until: null, yesterday_same_time_kwh: null, yesterday_kwh: null, known_share_today: null };

/** What a home uses; `mains` changes what is known of the home itself. */
export function makeUsage({ mains = {}, isEmpty = false, isSimulated = false }: { mains?: Partial<PartUsageEntry>; isEmpty?: boolean; isSimulated?: boolean } = {}): HomeUsageAnswer {
  const device = (id: string, name: string, watts: number, isLate = false): PartUsageEntry => ({
    ...MAINS,
    channel: `home.flat.${id}.power`,
    part: `home.flat.${id}`,
    part_kind: 'device',
    name,
    device_kind: 'other',
    power_watts: watts,
    is_late: isLate,
  });
  const parts = [{ ...MAINS, ...mains }, device('kettle', 'Kettle', 2.1), device('fridge', 'Fridge', 85.4), device('boiler', 'Boiler', 900), device('lamp', 'Lamp', 40, true)];
  return {
    home: 'flat',
    name: 'Flat',
    time_zone: ZONE,
    is_simulated: isSimulated,
    at: NOW,
    parts: isEmpty ? parts.map((part) => Object.assign({}, part, NOTHING)) : parts,
  };
}

type Consumer = NonNullable<HomeInsightsAnswer['consumers']>['devices'][number];

function consumer(id: string, name: string, energy_kwh: number, share: number): Consumer {
  return { id: `home.flat.${id}`, name, energy_kwh, share, basis: 'readings', known_share: 1 };
}

export function makeInsights(changes: Partial<HomeInsightsAnswer> = {}): HomeInsightsAnswer {
  return {
    home: 'flat',
    start: '2026-10-24T14:00:00Z',
    end: '2026-11-21T14:00:00Z',
    known_until: '2026-11-21T14:00:00Z',
    age_hours: 0.33,
    channel: 'home.flat.power',
    left_out: [],
    oddities: {
      anomalies: [
        { start: '2026-11-03T02:00:00Z', end: '2026-11-03T05:00:00Z', measured_w: 2120, expected_w: 118, usual_low_w: 101, usual_high_w: 139, extra_kwh: 6.006, once_in_weeks: 61 },
        { start: '2026-11-11T17:00:00Z', end: '2026-11-11T18:00:00Z', measured_w: -1416.8, expected_w: -80, usual_low_w: -258, usual_high_w: 74, extra_kwh: -1.337, once_in_weeks: 1000 },
      ],
      shifts: [{ day: '2026-11-14', change_w: 120, low_w: 80, high_w: 160, standard_errors: 7, n_days_after: 7 }],
      false_alarms_per_week: 0.5,
      first_day: '2026-10-24',
      last_day: '2026-11-21',
      n_hours: 672,
      runs: [],
      n_runs: null,
      n_charging_hours: 0,
      n_past_days: 23,
    },
    standby: { power_w: 118, low_w: 112, high_w: 124, share: 0.31, kwh_per_year: 1034.4, n_nights: 28, first_day: '2026-10-24', last_day: '2026-11-20', holds_cycling: true },
    peaks: [],
    habits: null,
    unknown: [{ insight: 'habits', problem: 'too few days of one kind are known', remedy: 'Wait, or import older readings.' }],
    consumers: {
      window: { start: '2026-10-24T14:00:00Z', end: '2026-11-21T14:00:00Z' },
      total_kwh: 240,
      known_hours: 672,
      devices: [consumer('boiler', 'Boiler', 120, 0.5), consumer('fridge', 'Fridge', 24, 0.1)],
      circuits: [],
      other_kwh: 96,
      other_problem: null,
    },
    efficiency: null,
    ...changes,
  };
}

export function makeHomeStatus(home = 'flat'): Status {
  const status = makeStatus();
  const [region] = status.regions;
  if (!region) throw new Error('the made-up status has a region');
  return { ...status, regions: [region, { ...region, id: home, name: 'Flat', kind: 'home', operator: null, time_zone: ZONE, channel: `home.${home}.power`, unit: 'kW', resolution_seconds: 3600 }] };
}

/** What a server answers that knows one home beside New York. */
export function answersOfHome(): Answers {
  return {
    '/api/v1/status': () => makeHomeStatus(),
    '/api/v1/homes': () => ({ homes: [makeHome()] }),
    '/api/v1/homes/flat': () => makeHome(),
    '/api/v1/homes/flat/usage': () => makeUsage(),
    '/api/v1/homes/flat/forecast': () => makeAhead(),
    '/api/v1/homes/flat/insights': () => makeInsights(),
    '/api/v1/readings': () => ({ channel: 'home.flat.power', unit: 'kW', readings: makeReadings('2026-11-20T23:00:00Z', '2026-11-21T14:00:00Z'), next: null }),
  };
}
