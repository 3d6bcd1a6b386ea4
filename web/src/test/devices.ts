/** A made-up home with devices in a zone, and what the server says of them; for tests. */
import type { DeviceEntry, DeviceInsightsAnswer, HomeEntry, HomeUsageAnswer, PastUseAnswer } from '@/client';
import { answersOfHome, makeAhead, makeHome, makeInsights, makeUsage } from './homes';
import type { Answers } from './page';

const KITCHEN = 'home.flat.kitchen';

export function makeDevice(word: string, name: string, changes: Partial<DeviceEntry> = {}): DeviceEntry {
  const span = { first_time: '2026-10-01T22:00:00Z', last_time: '2026-11-21T13:00:00Z' };
  const channel = { id: `home.flat.${word}.power`, quantity: 'power', unit: 'W', resolution_seconds: 900, ...span };
  return { id: `home.flat.${word}`, name, kind: 'other', rating_w: null, flexibility: 'fixed', zone: null, channels: [channel], ...changes };
}

export function makeHomeWithDevices(changes: Partial<HomeEntry> = {}): HomeEntry {
  return {
    ...makeHome(),
    zones: [{ id: KITCHEN, name: 'Kitchen', devices: ['home.flat.kettle', 'home.flat.fridge'], channels: [] }],
    devices: [
      makeDevice('kettle', 'Kettle', { kind: 'kettle', zone: KITCHEN, rating_w: 2200 }),
      makeDevice('fridge', 'Fridge', { kind: 'fridge', zone: KITCHEN }),
      makeDevice('boiler', 'Boiler', { kind: 'water_heater', flexibility: 'interruptible' }),
      makeDevice('lamp', 'Lamp', { kind: 'lights' }),
      makeDevice('heater', 'Heater', { kind: 'electric_heater', channels: [] }),
    ],
    ...changes,
  };
}

const TODAY: Record<string, number> = { 'home.flat.kettle': 0.12, 'home.flat.fridge': 0.4, 'home.flat.boiler': 1.62, 'home.flat.lamp': 0.04 };

/** What each used today; the heater is measured by nothing. */
export function makeUsageOfDevices(): HomeUsageAnswer {
  const made = makeUsage();
  const parts = made.parts.map((part) => Object.assign({}, part, { today_kwh: TODAY[part.part] ?? part.today_kwh }));
  const [home] = parts;
  if (!home) throw new Error('the made-up usage has a home');
  const unknown = { channel: null, power_watts: null, heard_at: null, age_seconds: null, today_kwh: null, today_until: null, yesterday_same_time_kwh: null, yesterday_kwh: null, known_share_today: null };
  const zone = { ...home, part: KITCHEN, part_kind: 'zone' as const, name: 'Kitchen', channel: null, power_watts: 87.5, today_kwh: 0.52 };
  return { ...made, parts: [...parts, zone, { ...home, ...unknown, part: 'home.flat.heater', part_kind: 'device', name: 'Heater', device_kind: 'electric_heater' }] };
}

/** Four hours of a day, of which one is not known and another only in part. */
export function makePast(changes: Partial<PastUseAnswer> = {}): PastUseAnswer {
  const known = [
    [0.5, 1],
    [null, 0],
    [0.3, 0.75],
    [1.2, 1],
  ] as const;
  return {
    home: 'flat',
    kind: 'device',
    id: 'home.flat.boiler',
    name: 'Boiler',
    time_zone: 'Europe/Paris',
    simulated: false,
    channels: ['home.flat.boiler.power'],
    step_seconds: 3600,
    spans: known.map(([kwh, known_share], hour) => ({
      time: `2026-11-21T0${hour}:00:00Z`,
      local_time: `2026-11-21T0${hour + 1}:00:00+01:00`,
      end: `2026-11-21T0${hour + 1}:00:00Z`,
      kwh,
      mean_watts: kwh === null ? null : (1000 * kwh) / known_share,
      known_share,
    })),
    ...changes,
  };
}

export function makeDeviceInsights(changes: Partial<DeviceInsightsAnswer> = {}): DeviceInsightsAnswer {
  const { consumers: _, efficiency: __, ...common } = makeInsights();
  return { ...common, device: 'home.flat.boiler', uses: { n_uses: 9, energy_kwh: 7.4, n_before: 11 }, impact: null, ...changes };
}

/** What a server answers that knows this home. */
export function answersOfDevices(): Answers {
  return {
    ...answersOfHome(),
    '/api/v1/homes/flat': () => makeHomeWithDevices(),
    '/api/v1/homes/flat/usage': () => makeUsageOfDevices(),
    '/api/v1/homes/flat/forecast': () => makeAhead({ kind: 'device', id: 'home.flat.boiler', name: 'Boiler' }),
    '/api/v1/homes/flat/history': () => makePast(),
    '/api/v1/homes/flat/devices/boiler/insights': () => makeDeviceInsights(),
    '/api/v1/homes/flat/events': () => ({
      home: 'flat',
      next: null,
      events: [
        { device: 'home.flat.boiler', start: '2026-11-20T18:05:00Z', end: '2026-11-20T19:45:00Z', energy_kwh: 0.85, available_at: '2026-11-20T19:45:00Z', recorded_at: '2026-11-20T19:45:03Z', quality: [] },
        { device: 'home.flat.boiler', start: '2026-11-21T05:00:00Z', end: '2026-11-21T05:40:00Z', energy_kwh: null, available_at: '2026-11-21T05:40:00Z', recorded_at: '2026-11-21T05:40:03Z', quality: [] },
      ],
    }),
  };
}
