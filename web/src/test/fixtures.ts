/** Made-up sites with numbers of a real one's size, for tests and for looking at the page without a server. */
import type { ForecastPoint, ForecastRegion, GridForecast, GridHistory, GridScores, GridWeek, KnownPoint, NewestOutlook, ScoreRow, ShownIn, Status } from '@/client';
import { digitsFor, formatNumber } from '@/lib/numbers';
import { DAY_MS, HOUR_MS, formatClock, intervalEnd, localDay, localIso, shiftDay } from '@/lib/time';

export const NOW = '2026-11-21T14:20:00Z';

/** What each site is, and how high its values are about six in the evening. */
const SITES = {
  ny: {
    peak: 20_400,
    region: {
      id: 'ny',
      name: 'New York',
      operator: 'NYISO',
      time_zone: 'America/New_York',
      channel: 'grid.ny.demand',
      unit: 'MWh',
      resolution_seconds: 3600,
      simulated: false,
    },
  },
  simtown: {
    peak: 20_400,
    region: {
      id: 'simtown',
      name: 'Simtown',
      operator: 'Simulated operator',
      time_zone: 'America/New_York',
      channel: 'grid.simtown.demand',
      unit: 'MWh',
      resolution_seconds: 3600,
      simulated: true,
    },
  },
  be: {
    peak: 10_440,
    region: {
      id: 'be',
      name: 'Belgium',
      operator: 'Elia',
      time_zone: 'Europe/Brussels',
      channel: 'grid.be.demand',
      unit: 'MW',
      resolution_seconds: 900,
      simulated: false,
    },
  },
  home: {
    peak: 0.55,
    region: {
      id: 'home',
      name: 'Home',
      operator: null,
      time_zone: 'Europe/London',
      channel: 'home.main.power',
      unit: 'kW',
      resolution_seconds: 1800,
      simulated: false,
    },
  },
  works: {
    peak: 86,
    region: {
      id: 'works',
      name: 'Waterworks',
      operator: null,
      time_zone: 'Europe/Berlin',
      channel: 'works.main.energy',
      unit: 'MWh',
      resolution_seconds: 86_400,
      simulated: false,
    },
  },
} as const satisfies Record<string, { peak: number; region: ForecastRegion }>;

export type SiteName = keyof typeof SITES;

/** Two humps a day, the evening's about one high, lower at the weekend. */
function shape(instant: number, zone: string): number {
  const [hour = 0, minute = 0] = formatClock(instant, zone).split(':').map(Number);
  const clock = hour + minute / 60;
  const isWeekend = [0, 6].includes(new Date(localDay(instant, zone)).getUTCDay());
  const hump = (size: number, at: number, width: number): number => size * Math.exp(-(((clock - at) / width) ** 2));
  return (0.789 + hump(0.088, 9, 3) + hump(0.211, 18, 3.4) - hump(0.093, 3, 3)) * (isWeekend ? 0.94 : 1);
}

/** The same small wobble for the same instant. */
function wobble(instant: number, size: number): number {
  const turn = Math.sin(instant / HOUR_MS) * 43_758.5453;
  return (turn - Math.floor(turn) - 0.5) * 2 * size;
}

const iso = (instant: number): string => new Date(instant).toISOString().replace('.000', '');

/** The starts of a calendar day's intervals; of hours there are 23, 24 or 25. */
export function startsOfDay(day: string, { time_zone: zone, resolution_seconds }: ForecastRegion): number[] {
  const stepMs = resolution_seconds * 1000;
  const noon = Date.parse(`${day}T12:00Z`);
  const tick = Math.min(stepMs, HOUR_MS);
  const instants = Array.from({ length: (72 * HOUR_MS) / tick }, (_, index) => noon - 36 * HOUR_MS + index * tick);
  const ofDay = instants.filter((instant) => localDay(instant, zone) === day);
  return stepMs === DAY_MS ? ofDay.slice(0, 1) : ofDay;
}

function dayBefore(midnight: number, zone: string): number {
  return [23, 24, 25].map((hours) => midnight - hours * HOUR_MS).find((start) => intervalEnd(start, DAY_MS, zone) === midnight) ?? midnight;
}

/** The last two days of intervals before an instant. */
function startsBefore(end: number, { time_zone: zone, resolution_seconds }: ForecastRegion): number[] {
  const stepMs = resolution_seconds * 1000;
  if (stepMs < DAY_MS) return Array.from({ length: (48 * HOUR_MS) / stepMs }, (_, index) => end - 48 * HOUR_MS + index * stepMs);
  return [dayBefore(dayBefore(end, zone), zone), dayBefore(end, zone)];
}

/** Rounded to what a source of values of this size would send. */
function roundedTo(peak: number): (value: number) => number {
  const factor = 10 ** digitsFor([peak]);
  return (value) => Math.round(value * factor) / factor;
}

function point(instant: number, { peak, region }: (typeof SITES)[SiteName], isPast: boolean): ForecastPoint {
  const rounded = roundedTo(peak);
  const value = rounded(shape(instant, region.time_zone) * peak);
  const spread = (0.013 + Math.abs(wobble(instant, 0.007))) * peak;
  const [lower, upper] = [rounded(value - spread), rounded(value + spread)];
  const operator = region.operator === null ? null : rounded(value * 1.012 + wobble(instant + 3, 0.008 * peak));
  return {
    time: iso(instant),
    local_time: localIso(instant, region.time_zone),
    value,
    lower,
    upper,
    quantiles: { '0.05': lower, '0.5': value, '0.95': upper },
    operator,
    rivals: region.operator === null ? {} : { operator },
    actual: isPast ? rounded(value + wobble(instant + 7, 0.02 * peak)) : null,
    actual_quality: [],
    seasonal_naive: rounded(value * 0.962 + wobble(instant + 11, 0.018 * peak)),
  };
}

function knownBefore(end: number, { peak, region }: (typeof SITES)[SiteName]): KnownPoint[] {
  const rounded = roundedTo(peak);
  return startsBefore(end, region).map((instant) => ({
    time: iso(instant),
    local_time: localIso(instant, region.time_zone),
    value: rounded(shape(instant, region.time_zone) * peak + wobble(instant, 0.012 * peak)),
  }));
}

/** As the API chooses: a larger unit from 10,000 on. */
function shownInOf({ region }: (typeof SITES)[SiteName], points: readonly ForecastPoint[]): ShownIn {
  const peak = Math.max(...points.map(({ value }) => value ?? 0));
  if (peak < 10_000) return { unit: region.unit, divisor: 1, digits: digitsFor([peak]) };
  return { unit: region.unit.replace('M', 'G'), divisor: 1000, digits: 1 + digitsFor([peak / 1000]) };
}

/** As the API writes it, though a home's numbers have here as many decimals as the page gives them. */
function headlineOf(points: readonly ForecastPoint[], { time_zone: zone, resolution_seconds }: ForecastRegion, { unit, divisor, digits }: ShownIn, isPast: boolean): string {
  const peak = points.reduce((best, candidate) => ((candidate.value ?? 0) > (best.value ?? 0) ? candidate : best));
  const start = Date.parse(peak.time);
  const day = new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: zone }).format(start);
  const span = resolution_seconds < 86_400 ? ` between ${formatClock(start, zone)} and ${formatClock(start + resolution_seconds * 1000, zone)}` : '';
  const length = { 3600: 'hour', 86_400: 'day' }[resolution_seconds] ?? `${resolution_seconds / 60} minutes`;
  const band = [peak.lower, peak.upper].map((edge) => formatNumber((edge ?? 0) / divisor, digits)).join(' to ');
  return `${day} ${isPast ? 'was expected to peak' : 'peaks'} at ${formatNumber((peak.value ?? 0) / divisor, digits)} ${unit}${span}; the 90 % interval of that ${length} is ${band} ${unit}.`;
}

const MODEL = { model_version: 'gradient_boosting-20261101T060000-ab12cd', model_label: 'Gradient boosting, trained 1 November 2026' };

const outlookPoint = ({ time, local_time, value, lower, upper, operator }: ForecastPoint): NewestOutlook['points'][number] => ({ time, local_time, value, lower, upper, operator });

interface Wishes {
  site?: SiteName;
  day?: string;
  isPast?: boolean;
}

export function makeForecast({ site = 'ny', day = '2026-11-22', isPast = false }: Wishes = {}): GridForecast {
  const made = SITES[site];
  const { region, peak } = made;
  const instants = startsOfDay(day, region);
  const begins = instants[0] ?? 0;
  const knownUntil = region.resolution_seconds === 86_400 ? dayBefore(begins, region.time_zone) : begins - 18 * HOUR_MS;
  const points = instants.map((instant) => point(instant, made, isPast));
  const shownIn = shownInOf(made, points);
  const stepMs = region.resolution_seconds * 1000;
  const restOfToday = stepMs === DAY_MS ? [] : Array.from({ length: (begins - knownUntil) / stepMs }, (_, index) => point(knownUntil + index * stepMs, made, false));
  const newest: NewestOutlook = {
    issued_at: iso(begins - 16 * HOUR_MS),
    ...MODEL,
    is_baseline: false,
    fallback: null,
    missing_inputs: [],
    made_of: [],
    known_until: iso(knownUntil),
    points: [...restOfToday, ...points].map(outlookPoint),
  };
  const warmth = instants.map((instant) => ({ time: iso(instant), local_time: localIso(instant, region.time_zone), value: 8 + wobble(instant, 3), measured: isPast }));
  const score = (model: string, label: string, mape_percent: number) => ({ model, label, mae: (mape_percent / 100) * peak * 0.845, mape_percent });
  const rival = { channel: region.channel, label: "Operator's forecast", last_time: '2026-11-23T04:00:00Z', age_hours: 2.2, stale: false, archive: false };
  return {
    region,
    series: [{ id: region.id, channel: region.channel, quantity: 'energy' }],
    day,
    days: { first: '2024-01-08', last: '2026-11-22' },
    issued_at: iso(begins - 16 * HOUR_MS),
    known_until: iso(knownUntil),
    ...MODEL,
    reconstructed: isPast,
    unit: region.unit,
    shown_in: shownIn,
    headline: headlineOf(points, region, shownIn, isPast),
    missing_inputs: [],
    fallback: null,
    made_of: [],
    points,
    known: knownBefore(knownUntil, made),
    later: [],
    newest: isPast ? null : newest,
    day_ahead: [],
    temperature: region.operator === null ? null : { unit: 'degC', points: warmth },
    scores_of_day: isPast
      ? {
          rows: [
            score('ours', 'Watthour', 1.34),
            ...(region.operator === null ? [] : [score('operator', "Operator's forecast", 1.72)]),
            score('seasonal_naive', 'Same time last week', 4.11),
          ],
        }
      : null,
    freshness: [
      { channel: region.channel, label: 'Readings', first_time: '2022-01-01T05:00:00Z', last_time: '2026-11-21T11:00:00Z', age_hours: 2.3, stale: false, archive: false },
      ...(region.operator === null ? [] : [rival]),
      { channel: `weather.${region.id}.temperature_2m`, label: 'Weather forecast', last_time: '2026-11-23T23:00:00Z', age_hours: 31, stale: true, archive: false },
    ],
  };
}

const LEADS = ['all', '1-6', '7-12', '13-24', '25-48'] as const;

export function makeScores({ site = 'ny' }: { site?: SiteName } = {}): GridScores {
  const { region, peak } = SITES[site];
  const size = peak / SITES.ny.peak;
  const rivals = [
    { model: 'ours', label: 'Watthour', mape: 1.41, mae: 246, bias: -18, coverage: 90.6 },
    { model: 'operator', label: "Operator's forecast", mape: 1.93, mae: 331, bias: 204, coverage: null },
    { model: 'seasonal_naive', label: 'Same time last week', mape: 4.87, mae: 842, bias: 61, coverage: 88.2 },
  ].filter(({ model }) => region.operator !== null || model !== 'operator');
  const inMwh = (value: number): number | null => (region.unit === 'MWh' ? value : null);
  const rows = LEADS.flatMap((lead_hours, step) =>
    rivals.map(({ model, label, mape, mae, bias, coverage }): ScoreRow => {
      const growth = step === 0 ? 1 : 0.82 + step * 0.09;
      return {
        model,
        label,
        lead_hours,
        n: ((step === 0 ? 720 : 180) * 3600) / region.resolution_seconds,
        mae: mae * growth * size,
        mape_percent: mape * growth,
        bias: bias * size,
        rmse: mae * growth * 1.31 * size,
        mae_mwh: inMwh(mae * growth * size),
        bias_mwh: inMwh(bias * size),
        rmse_mwh: inMwh(mae * growth * 1.31 * size),
        coverage90_percent: coverage === null ? null : coverage - step,
        winkler90: coverage === null ? null : mae * growth * 6 * size,
        skill_percent: 100 * (1 - mae / 842),
      };
    }),
  );
  return {
    region: region.id,
    window: { start: '2026-10-22', end: '2026-11-20' },
    unit: region.unit,
    protocol: 'Issued at 08:00 the day before, demand known to 06:00, weather as issued.',
    rows,
  };
}

/** Seven days up to one; of the first no forecast was kept. */
export function makeWeek({ site = 'ny', end = '2026-11-22' }: { site?: SiteName; end?: string } = {}): GridWeek {
  const made = SITES[site];
  const days = Array.from({ length: 7 }, (_, index) => shiftDay(end, index - 6));
  const points = days.flatMap((day, index) =>
    startsOfDay(day, made.region).map((instant): ForecastPoint => {
      const whole = point(instant, made, index < 6);
      return index === 0 ? Object.assign(whole, { value: null, lower: null, upper: null, quantiles: {}, operator: null, rivals: {} }) : whole;
    }),
  );
  return {
    region: made.region.id,
    window: { start: days[0] ?? end, end },
    unit: made.region.unit,
    shown_in: shownInOf(made, points),
    days: days.map((day, index) => ({ day, issued_at: index === 0 ? null : `${shiftDay(day, -1)}T13:00:00Z`, model_label: index === 0 ? null : MODEL.model_label, reconstructed: false })),
    points,
  };
}

export function makeHistory({ site = 'ny', days = 30 }: { site?: SiteName; days?: number } = {}): GridHistory {
  const { region, peak } = SITES[site];
  const models = [
    { model: 'ours', label: 'Watthour', mape: 1.4 },
    { model: 'operator', label: "Operator's forecast", mape: 1.9 },
    { model: 'seasonal_naive', label: 'Same time last week', mape: 4.9 },
  ].filter(({ model }) => region.operator !== null || model !== 'operator');
  const all = Array.from({ length: days }, (_, index) => shiftDay('2026-11-21', index + 1 - days));
  return {
    region: region.id,
    window: { start: all[0] ?? '', end: '2026-11-21' },
    unit: region.unit,
    models: models.map(({ model, label }) => ({ model, label })),
    days: all.map((day, index) => ({
      day,
      rows:
        index === days - 1
          ? []
          : models.map(({ model, label, mape }) => {
              const mape_percent = mape + wobble(Date.parse(day) + mape, 0.6);
              return { model, label, mae: (mape_percent / 100) * peak, mape_percent };
            }),
    })),
    reliability: {
      n: 24 * (days - 1),
      rows: [5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95].map((level) => ({ level_percent: level, below_percent: level + (50 - level) * 0.04 })),
    },
  };
}

export function makeStatus({ site = 'ny' }: { site?: SiteName } = {}): Status {
  const { region } = SITES[site];
  return {
    version: '0.1.0',
    now: NOW,
    simulated: region.simulated,
    regions: [{ ...region, kind: site === 'home' ? 'home' : 'region', first_time: '2022-01-01T05:00:00Z', last_time: '2026-11-21T11:00:00Z' }],
    doubted: [],
    arrivals: [],
    sources: [
      { name: `eia:${region.id}`, label: 'EIA, demand', site: region.id, state: 'ok', last_run_at: '2026-11-21T14:02:00Z', age_hours: 0.3, problem: null },
      {
        name: `open_meteo_forecast:${region.id}`,
        label: 'Open-Meteo, weather forecast',
        site: region.id,
        state: 'failed',
        last_run_at: '2026-11-21T14:02:00Z',
        age_hours: 0.3,
        problem: 'open_meteo: answered 503 four times. It is tried again within the hour.',
      },
    ],
    fill: [],
    store: { state: 'ok', problem: null, remedy: null },
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
