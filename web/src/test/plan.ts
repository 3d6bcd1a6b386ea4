/** A made-up plan of a home in Paris: a dishwasher by night, a car, a battery. */
import type { EquipmentAnswer, HomePlan, PlannedRun } from '@/client';

import { NOW } from './fixtures';
import { ZONE, answersOfHome } from './homes';
import type { Answers } from './page';

const QUARTER_MS = 900_000;
const STEPS = 96;
const START = Date.parse('2026-11-21T14:30:00Z');
const iso = (instant: number): string => new Date(instant).toISOString().replace('.000', '');
const each = <T>(value: (index: number) => T): T[] => Array.from({ length: STEPS }, (_, index) => value(index));
/** The step that begins then. */
const at = (time: string): number => (Date.parse(time) - START) / QUARTER_MS;

export function makeRun(change: Partial<PlannedRun> = {}): PlannedRun {
  return {
    id: 'dishwasher-20261121-1',
    name: 'dishwasher',
    kind: 'appliance',
    device: 'home.flat.dishwasher',
    start: '2026-11-22T01:15:00Z',
    end: '2026-11-22T03:15:00Z',
    energy_kwh: 1.2,
    cost: 0.24,
    carbon_kg: 0.07,
    at_once: { cost: 0.37, carbon_kg: 0.09 },
    reason: 'starts 02:15: cheapest 2 h before 07:00, also 18 % cleaner',
    state: 'planned',
    is_estimated: false,
    earliest: '2026-11-21T19:00:00Z',
    deadline: '2026-11-22T06:00:00Z',
    ...change,
  };
}

const CAR = makeRun({ id: 'car-20261121-1', name: 'car', kind: 'car', device: null, start: '2026-11-21T23:00:00Z', end: '2026-11-22T01:00:00Z', energy_kwh: 11.1, cost: 2.1, carbon_kg: 0.6, reason: 'charges from 00:00: the cheapest hours before 07:00', earliest: '2026-11-21T17:00:00Z' });

function within(index: number, from: string, to: string, value: number): number {
  return index >= at(from) && index < at(to) ? value : 0;
}

export function makePlan(change: Partial<HomePlan> = {}): HomePlan {
  const dishwasher = each((index) => within(index, '2026-11-22T01:15:00Z', '2026-11-22T03:15:00Z', 0.6));
  const car = each((index) => within(index, '2026-11-21T23:00:00Z', '2026-11-22T01:00:00Z', 5.55));
  const gives = each((index) => within(index, '2026-11-21T17:00:00Z', '2026-11-21T19:00:00Z', 0.4));
  const nothing = { gives_kw: null, stored_kwh: null, temperature_c: null };
  const run = makeRun();
  return {
    home: 'flat',
    made_at: '2026-11-21T14:18:00Z',
    age_s: 120,
    is_simulated: false,
    time_zone: ZONE,
    currency: 'EUR',
    start: iso(START),
    step_minutes: 15,
    status: 'solved',
    gap: 0,
    weights: { money: 1, carbon: 0, peak: 0 },
    cost: 4.62,
    wear: 0.03,
    carbon_kg: 1.4,
    peak_kw: 6.1,
    at_once: { cost: 4.91, carbon_kg: 1.9 },
    runs: [run, CAR],
    time: each((index) => iso(START + index * QUARTER_MS)),
    import_kw: each((index) => 0.4 + (dishwasher[index] ?? 0) + (car[index] ?? 0) - (gives[index] ?? 0)),
    export_kw: each(() => 0),
    load_kw: each(() => 0.4),
    solar_kw: each(() => 0),
    import_price: each((index) => (index >= at('2026-11-21T21:00:00Z') ? 0.2 : 0.31)),
    export_price: each(() => 0.08),
    is_price_forecast: each((index) => index >= at('2026-11-21T23:00:00Z')),
    carbon: each((index) => 60 - 0.2 * index),
    things: [
      { name: 'dishwasher', kind: 'appliance', reason: run.reason, spans: [{ start: '2026-11-22T01:15:00Z', end: '2026-11-22T03:15:00Z' }], power_kw: dishwasher, ...nothing },
      { name: 'car', kind: 'car', reason: CAR.reason, spans: [{ start: '2026-11-21T23:00:00Z', end: '2026-11-22T01:00:00Z' }], power_kw: car, ...nothing },
      { name: 'battery', kind: 'battery', reason: 'gives at 18:00: the dearest hours', spans: null, power_kw: each(() => 0), gives_kw: gives, stored_kwh: each((index) => 4 - 0.02 * index), temperature_c: null },
    ],
    misses: [],
    choices: [],
    remarks: ['How full the battery is is assumed: nothing tells it.'],
    ...change,
  };
}

/** The same run at another time, as the server plans it once its deadline is another. */
export function withDeadline(plan: HomePlan, id: string, deadline: string, start: string, end: string): HomePlan {
  return { ...plan, runs: plan.runs.map((run) => (run.id === id ? { ...run, deadline, start, end, reason: 'starts later' } : run)) };
}

export const CHOICES: HomePlan['choices'] = [
  { words: 'the cheapest', cost: 4.62, carbon_kg: 1.4, more_money: 0, less_carbon_kg: 0, carbon_weight: 0 },
  { words: '0.10 more for 0.80 kg less', cost: 4.72, carbon_kg: 0.6, more_money: 0.1, less_carbon_kg: 0.8, carbon_weight: 0.2 },
  { words: '0.30 more for 0.90 kg less', cost: 4.92, carbon_kg: 0.5, more_money: 0.3, less_carbon_kg: 0.9, carbon_weight: 3 },
];

export function makeEquipment(): EquipmentAnswer {
  const appliances = [
    { name: 'dishwasher', device: 'home.flat.dishwasher', power_kw: 0.6, minutes: 120, earliest: '20:00', deadline: '07:00' },
    { name: 'washing machine', power_kw: 0.5, minutes: 120, on_request: true },
  ];
  return { home: 'flat', equipment: { appliances, batteries: [{ name: 'battery', capacity_kwh: 10, max_charge_kw: 5, max_discharge_kw: 5 }], import_limit_kw: 9 } };
}

/** What a server answers that plans the flat. */
const SAID = { name: 'Day and night', currency: 'EUR' };
export const TARIFF = { home: 'flat', since: '2026-11-01T00:00:00+01:00', tariff: SAID, terms: [{ since: null, tariff: { ...SAID, name: 'One price' } }, { since: '2026-11-01T00:00:00+01:00', tariff: SAID }] };

export function answersOfPlan(): Answers {
  return {
    ...answersOfHome(),
    '/api/v1/homes/flat/plan': () => makePlan(),
    '/api/v1/homes/flat/equipment': () => makeEquipment(),
    '/api/v1/homes/flat/tariff': () => TARIFF,
  };
}

export { NOW };
