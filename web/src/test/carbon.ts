/** A made-up region with carbon figures of a real one's size. */
import type { CarbonBestWindow, CarbonCurrent, CarbonForecast, CarbonHistory, CarbonSeriesEntry, CarbonTrend } from '@/client';
import type { Answers } from './page';

const HOUR_MS = 3_600_000;
const NOW = '2026-11-21T15:30:00Z';
const FIRST = Date.parse('2026-11-21T15:00:00Z');
const iso = (instant: number): string => new Date(instant).toISOString().replace('.000', '');
const local = (instant: number): string => `${iso(instant - 5 * HOUR_MS).slice(0, 16)}-05:00`;

const series: CarbonSeriesEntry = {
  channel: 'grid.ny.carbon.mix.average.production.lifecycle',
  source: 'mix',
  basis: 'average',
  side: 'production',
  scope: 'lifecycle',
  words: 'average of production, life-cycle emissions',
  unit: 'gCO2e/kWh',
  resolution_seconds: 3600,
  first_time: '2024-11-20T05:00:00Z',
  last_time: '2026-11-21T12:00:00Z',
};
const region = { region: 'ny', name: 'New York', time_zone: 'America/New_York', simulated: false };
const head = { ...region, series, source: 'watthour', sources: ['watthour'], generated_at: NOW, issued_at: NOW };

export function makeCarbonForecast(change: Partial<CarbonForecast> = {}): CarbonForecast {
  const score = { n: 720, coverage90_percent: 90, skill_percent: 20, lead_hours: 'all' };
  return {
    ...head,
    hours: 96,
    known_until: '2026-11-21T13:00:00Z',
    data_age_hours: 2.5,
    stale: false,
    archive: false,
    made_by: 'model',
    model_version: 'combination-20261120T060000-ab12cd',
    model_label: 'Combination, trained 20 November 2026',
    trained_at: '2026-11-20T06:00:00Z',
    fallback: null,
    missing_inputs: [],
    made_of: [],
    points: Array.from({ length: 96 }, (_, n) => {
      const at = FIRST + n * HOUR_MS;
      const value = 230 + 40 * Math.sin(n / 4);
      return { time: iso(at), local_time: local(at), value, lower: value - 50, upper: value + 60, quantiles: {}, usual: 240 };
    }),
    scores: {
      days: 30,
      protocol: 'All rows are scored on the same intervals.',
      rows: [
        { model: 'ours', label: 'Watthour', mae: 15, mape_percent: 6.5, ...score },
        { model: 'persistence', label: 'Same time yesterday', mae: 25, mape_percent: 11, ...score },
      ],
    },
    ...change,
  };
}

export function makeTrend(change: Partial<CarbonTrend> = {}): CarbonTrend {
  return { ...head, hours: 3, trend: 'falling', now: 230, ahead: 207, change: -23, change_percent: -10, probability_higher: 0.1, usual: 240, against_usual_percent: -14, definition: 'How it is judged.', ...change };
}

const run = (start: string, end: string, mean: number) => ({ start, end, local_start: local(Date.parse(start)), local_end: local(Date.parse(end)), mean });

export function makeWindow(change: Partial<CarbonBestWindow> = {}): CarbonBestWindow {
  return {
    ...head,
    duration_minutes: 180,
    earliest: NOW,
    deadline: '2026-11-22T15:30:00Z',
    best: run('2026-11-22T07:00:00Z', '2026-11-22T10:00:00Z', 190),
    at_once: run(NOW, '2026-11-21T18:30:00Z', 230),
    saving: { value: 40, percent: 17.4, lower: -5, upper: 88, probability: 0.93 },
    runner_up: run('2026-11-22T11:00:00Z', '2026-11-22T14:00:00Z', 201),
    ahead_of_runner_up: { value: 11, percent: 5.5, lower: -40, upper: 60, probability: 0.64 },
    certainty: 'sure',
    words: 'Cleanest 3 hours in the next 24 hours: Sunday 02:00. It is expected to be 17 % cleaner than starting at once, with a probability of 93 %.',
    ...change,
  };
}

function makeCurrent(): CarbonCurrent {
  const value = { value: 228.4, time: '2026-11-21T12:00:00Z', local_time: '2026-11-21T07:00:00-05:00', age_hours: 2.5, available_at: NOW, quality: [] };
  const fuel = { value: 1, direct: 0, lifecycle: 0, factor_source: 'IPCC', factor_year: 2014 };
  return { ...region, now: NOW, series: [{ ...series, ...value }], mix: { time: value.time, unit: 'MWh', fuels: [{ fuel: 'gas', share: 0.55, ...fuel }, { fuel: 'oil', share: 0.001, ...fuel }] } };
}

function makePast(): CarbonHistory {
  const points = Array.from({ length: 48 }, (_, n) => {
    const at = FIRST - (50 - n) * HOUR_MS;
    return { time: iso(at), local_time: local(at), value: n === 5 ? null : 220 + n, available_at: iso(at + HOUR_MS), quality: [] };
  });
  return { ...region, series, points, next: null };
}

/** What a server answers that knows the carbon intensity of New York. */
export function answersOfCarbon(): Answers {
  return {
    '/api/v1/carbon/regions': () => ({ regions: [{ ...region, series: [series] }] }),
    '/api/v1/carbon/ny/forecast': () => makeCarbonForecast(),
    '/api/v1/carbon/ny/trend': () => makeTrend(),
    '/api/v1/carbon/ny/best-window': () => makeWindow(),
    '/api/v1/carbon/ny/current': makeCurrent,
    '/api/v1/carbon/ny/history': makePast,
  };
}
