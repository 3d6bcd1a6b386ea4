/** A made-up region with numbers of a real one's size, for tests and for looking at the page without a server. */
import type { ForecastPoint, GridForecast, GridScores, KnownPoint, ScoreRow, Status } from '@/client';
import { HOUR_MS, formatClock, localDay } from '@/lib/time';

const ZONE = 'America/New_York';
export const NOW = '2026-11-21T14:20:00Z';

/** Demand in MWh with two humps a day, lower at the weekend. */
function shape(instant: number): number {
  const hour = Number(formatClock(instant, ZONE).slice(0, 2));
  const isWeekend = [0, 6].includes(new Date(instant - 5 * HOUR_MS).getUTCDay());
  const morning = 1800 * Math.exp(-(((hour - 9) / 3) ** 2));
  const evening = 4300 * Math.exp(-(((hour - 18) / 3.4) ** 2));
  const night = -1900 * Math.exp(-(((hour - 3) / 3) ** 2));
  return (16_100 + morning + evening + night) * (isWeekend ? 0.94 : 1);
}

/** The same small wobble for the same instant. */
function wobble(instant: number, size: number): number {
  const turn = Math.sin(instant / HOUR_MS) * 43_758.5453;
  return (turn - Math.floor(turn) - 0.5) * 2 * size;
}

/** `2026-11-22T17:00-05:00`. */
export function localTime(instant: number, zone = ZONE): string {
  const offset = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(instant)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return `${localDay(instant, zone)}T${formatClock(instant, zone)}${offset === 'GMT' ? '+00:00' : (offset ?? '').replace('GMT', '')}`;
}

const iso = (instant: number): string => new Date(instant).toISOString().replace('.000', '');

/** The instants of a calendar day: 23, 24 or 25 of them. */
export function hoursOfDay(day: string, zone = ZONE): number[] {
  const noon = Date.parse(`${day}T12:00Z`);
  return Array.from({ length: 72 }, (_, index) => noon + (index - 36) * HOUR_MS).filter((instant) => localDay(instant, zone) === day);
}

function point(instant: number, isPast: boolean): ForecastPoint {
  const value = Math.round(shape(instant));
  const spread = 260 + Math.round(Math.abs(wobble(instant, 140)));
  const actual = isPast ? Math.round(value + wobble(instant + 7, 420)) : null;
  return {
    time: iso(instant),
    local_time: localTime(instant),
    value,
    lower: value - spread,
    upper: value + spread,
    quantiles: { '0.05': value - spread, '0.5': value, '0.95': value + spread },
    operator: Math.round(value * 1.012 + wobble(instant + 3, 160)),
    actual,
    actual_quality: [],
    seasonal_naive: Math.round(value * 0.962 + wobble(instant + 11, 380)),
  };
}

function knownBefore(end: number): KnownPoint[] {
  return Array.from({ length: 48 }, (_, index) => {
    const instant = end - (48 - index) * HOUR_MS;
    return { time: iso(instant), local_time: localTime(instant), value: Math.round(shape(instant) + wobble(instant, 240)) };
  });
}

interface Wishes {
  day?: string;
  isSimulated?: boolean;
  isPast?: boolean;
}

export function makeForecast({ day = '2026-11-22', isSimulated = false, isPast = false }: Wishes = {}): GridForecast {
  const instants = hoursOfDay(day);
  const begins = instants[0] ?? 0;
  const knownUntil = begins - 18 * HOUR_MS;
  return {
    region: {
      id: isSimulated ? 'simtown' : 'ny',
      name: isSimulated ? 'Simtown' : 'New York',
      operator: isSimulated ? 'Simulated operator' : 'NYISO',
      time_zone: ZONE,
      simulated: isSimulated,
    },
    day,
    days: { first: '2024-01-08', last: '2026-11-22' },
    issued_at: iso(begins - 16 * HOUR_MS),
    known_until: iso(knownUntil),
    model_version: 'gradient_boosting-20261101T060000-ab12cd',
    reconstructed: isPast,
    unit: 'MWh',
    headline: isPast
      ? 'Wednesday peaked at 20,610 MWh between 18:00 and 19:00; 20,400 MWh had been forecast.'
      : 'Sunday peaks at 19,190 MWh between 18:00 and 19:00, 90 % sure to stay between 18,870 and 19,520.',
    lacked: [],
    fallback: null,
    points: instants.map((instant) => point(instant, isPast)),
    known: knownBefore(knownUntil),
    scores_of_day: isPast
      ? {
          rows: [
            { model: 'ours', mae_mwh: 231, mape_percent: 1.34 },
            { model: 'operator', mae_mwh: 297, mape_percent: 1.72 },
            { model: 'seasonal_naive', mae_mwh: 704, mape_percent: 4.11 },
          ],
        }
      : null,
    freshness: [
      { channel: 'grid.ny.demand', label: 'Demand', last_time: '2026-11-21T11:00:00Z', age_hours: 2.3, stale: false },
      { channel: 'grid.ny.demand:operator', label: "Operator's forecast", last_time: '2026-11-23T04:00:00Z', age_hours: 2.2, stale: false },
      { channel: 'grid.ny.weather', label: 'Weather forecast', last_time: '2026-11-23T23:00:00Z', age_hours: 31, stale: true },
    ],
  };
}

const LEADS = ['all', '1-6', '7-12', '13-24', '25-48'] as const;

export function makeScores(): GridScores {
  const rivals = [
    { model: 'ours', label: 'Watthour', mape: 1.41, mae: 246, bias: -18, coverage: 90.6 },
    { model: 'operator', label: 'Operator (NYISO)', mape: 1.93, mae: 331, bias: 204, coverage: null },
    { model: 'seasonal_naive', label: 'Same hour last week', mape: 4.87, mae: 842, bias: 61, coverage: null },
  ];
  const rows = LEADS.flatMap((lead_hours, step) =>
    rivals.map(({ model, label, mape, mae, bias, coverage }): ScoreRow => {
      const growth = step === 0 ? 1 : 0.82 + step * 0.09;
      return {
        model,
        label,
        lead_hours,
        n: step === 0 ? 720 : 180,
        mae_mwh: mae * growth,
        mape_percent: mape * growth,
        bias_mwh: bias,
        rmse_mwh: mae * growth * 1.31,
        coverage90_percent: coverage,
        skill_percent: 100 * (1 - mae / 842),
      };
    }),
  );
  return {
    region: 'ny',
    window: { start: '2026-10-22', end: '2026-11-20' },
    unit: 'MWh',
    protocol: 'Issued at 08:00 the day before, demand known to 06:00, weather as issued.',
    rows,
  };
}

export function makeStatus({ isSimulated = false }: { isSimulated?: boolean } = {}): Status {
  const { region } = makeForecast({ isSimulated });
  return {
    version: '0.1.0',
    now: NOW,
    simulated: isSimulated,
    regions: [{ ...region, first_time: '2022-01-01T05:00:00Z', last_time: '2026-11-21T11:00:00Z' }],
    sources: [
      { name: 'EIA', state: 'ok', last_run_at: '2026-11-21T14:02:00Z', age_hours: 0.3, problem: null },
      {
        name: 'Open-Meteo',
        state: 'failed',
        last_run_at: '2026-11-21T14:02:00Z',
        age_hours: 0.3,
        problem: 'open_meteo: answered 503 four times. It is tried again within the hour.',
      },
    ],
    connect: [
      {
        id: 'eia_key',
        title: 'With an API key',
        text: 'Register for a free key at eia.gov/opendata, then start Watthour with it. Demand comes in every hour.',
        command: 'EIA_API_KEY=... watthour up',
      },
      {
        id: 'eia_files',
        title: 'Without a key',
        text: 'Download a six-month EIA930_BALANCE file from eia.gov/electricity/gridmonitor and import it here or on the command line.',
        command: 'watthour import EIA930_BALANCE_2026_Jul_Dec.csv --region ny',
      },
    ],
  };
}
