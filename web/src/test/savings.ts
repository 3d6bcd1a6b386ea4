/** A made-up ledger of a home in Paris. */
import type { HomeSavings, SavingsRow } from '@/client';

import { ZONE, answersOfHome } from './homes';
import type { Answers } from './page';

export function makeRow(change: Partial<SavingsRow> = {}): SavingsRow {
  return {
    kind: 'appliance',
    name: 'dishwasher',
    device: 'home.flat.dishwasher',
    day: '2026-11-20',
    n_runs: 1,
    n_planned: 1,
    planned_start: '2026-11-20T01:15:00Z',
    start: '2026-11-20T01:20:00Z',
    end: '2026-11-20T03:20:00Z',
    energy_kwh: 1.2,
    cost: 0.23,
    carbon_kg: 0.41,
    at_once: { start: '2026-11-19T19:00:00Z', cost: 0.38, carbon_kg: 0.47 },
    usual: { start: '2026-11-19T20:30:00Z', cost: 0.42, carbon_kg: 0.48 },
    saved_money: 0.15,
    saved_carbon_kg: 0.06,
    saved_usual_money: 0.19,
    saved_usual_carbon_kg: 0.07,
    shifted_kwh: 1.2,
    regret_money: 0.01,
    regret_carbon_kg: 0.03,
    captured: 0.94,
    is_estimated: false,
    n_priced: 1,
    n_with_carbon: 1,
    n_with_usual: 1,
    remark: null,
    ...change,
  };
}

export const CAR = makeRow({
  kind: 'car',
  name: 'car',
  day: '2026-11-18',
  start: '2026-11-18T23:00:00Z',
  end: '2026-11-19T02:00:00Z',
  planned_start: null,
  energy_kwh: 12,
  usual: null,
  saved_money: -0.05,
  saved_carbon_kg: null,
  saved_usual_money: null,
  saved_usual_carbon_kg: null,
  is_estimated: true,
  remark: 'its carbon is not known: no intensity of these hours',
});

export function makeSavings(change: Partial<HomeSavings> = {}): HomeSavings {
  const total = makeRow({ kind: 'all', name: null, device: null, day: '2026-11-01', n_runs: 2, planned_start: null, energy_kwh: 13.2, saved_money: 0.1, saved_carbon_kg: 0.06, shifted_kwh: 13.2, regret_money: 0.21, is_estimated: true, n_priced: 2, n_with_carbon: 1, n_with_usual: 1 });
  return {
    home: 'flat',
    is_simulated: false,
    time_zone: ZONE,
    currency: 'EUR',
    carbon: 'average of consumption, life-cycle emissions',
    by: 'run',
    start: '2026-10-31T23:00:00Z',
    end: '2026-11-21T14:20:00Z',
    rows: [CAR, makeRow()],
    total: { ...total, at_once: { start: null, cost: 3.1, carbon_kg: 2 }, usual: { start: null, cost: 0.42, carbon_kg: 0.48 } },
    remarks: [],
    ...change,
  };
}

/** What a server answers that knows what the flat has saved. */
export function answersOfSavings(): Answers {
  return { ...answersOfHome(), '/api/v1/homes/flat/savings': () => makeSavings() };
}
