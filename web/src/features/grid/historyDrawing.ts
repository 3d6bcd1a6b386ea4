/** The pictures of how good forecasts were: errors day by day, and what was promised against what came. */
import type { GridHistory, HistoryDay, Reliability } from '@/client';
import type { Colour, Drawing, LineShape, Tick, View } from '@/charts/types';
import { formatNumber } from '@/lib/numbers';
import { DAY_MS } from '@/lib/time';

interface Measure {
  name: string;
  unit: string;
  isPercent: boolean;
}

/** In percent, unless no day can be: a home that stood empty has no percentage of nothing. */
export function measureOf({ days, unit }: GridHistory): Measure {
  const isPercent = days.every(({ rows }) => rows.every(({ mape_percent }) => mape_percent !== null));
  return isPercent ? { name: 'Mean absolute percentage error', unit: '%', isPercent } : { name: 'Mean absolute error', unit, isPercent };
}

export function errorOf({ rows }: HistoryDay, model: string, { isPercent }: Measure): number | null {
  const row = rows.find((candidate) => candidate.model === model);
  return (isPercent ? row?.mape_percent : row?.mae) ?? null;
}

/** A calendar day on an axis that knows no zone. */
export function middayOf(day: string): number {
  return Date.parse(`${day}T12:00Z`);
}

/** Ours as our forecasts look, the naive one dotted, everybody else dashed. */
export function lookOf(model: string): { colour: Colour; width: number; dashes?: string } {
  if (model === 'ours') return { colour: 'load-forecast', width: 2.5 };
  if (model === 'seasonal_naive') return { colour: 'naive', width: 1.5, dashes: '0.5 4' };
  return { colour: 'rival', width: 1.75, dashes: '6 4' };
}

const SHORT: Record<string, string> = { ours: 'Watthour', operator: 'Operator', seasonal_naive: 'Last week', operator_debiased: 'De-biased', persistence_ensemble: 'Four weeks' };
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const DATE_PX = 62;

function dates(days: readonly HistoryDay[], [from, to]: View, width: number): Tick[] {
  const seen = days.map(({ day }) => middayOf(day)).filter((at) => at >= from && at <= to);
  const every = Math.max(1, Math.ceil((seen.length * DATE_PX) / width));
  return seen.filter((_, index) => index % every === 0).map((at) => ({ at, label: DATE.format(at), anchor: 'middle', isStrong: false }));
}

export function historyDrawing(history: GridHistory): Drawing {
  const measure = measureOf(history);
  const { days } = history;
  const domain: View = [middayOf(days[0]?.day ?? '2000-01-01') - DAY_MS / 2, middayOf(days.at(-1)?.day ?? '2000-01-02') + DAY_MS / 2];
  const line = ({ model }: { model: string }): LineShape => ({
    kind: 'line',
    id: model,
    name: SHORT[model] ?? model,
    points: days.map((day) => [middayOf(day.day), errorOf(day, model, measure)] as const),
    ...lookOf(model),
  });
  const ordered = history.models.toSorted((a, b) => Number(a.model === 'ours') - Number(b.model === 'ours'));
  return {
    domain,
    leastSpan: Math.min(domain[1] - domain[0], 5 * DAY_MS),
    panels: [{ id: 'error', unit: measure.unit, marks: 4, hasZero: true, shapes: ordered.map(line) }],
    marks: [],
    ticks: (view, width) => dates(days, view, width),
  };
}

const TENTHS = [0, 20, 40, 60, 80, 100];

/** Each level against the share of readings that lay at or below it; on the diagonal they are the same. */
export function reliabilityDrawing({ rows }: Reliability): Drawing {
  const diagonal: LineShape = {
    kind: 'line',
    id: 'diagonal',
    name: null,
    points: [
      [0, 0],
      [100, 100],
    ],
    colour: 'muted',
    width: 1.25,
    dashes: '2 4',
  };
  const came: LineShape = {
    kind: 'line',
    id: 'came',
    name: null,
    points: rows.map(({ level_percent, below_percent }) => [level_percent, below_percent] as const),
    colour: 'load-forecast',
    width: 2,
    hasDots: true,
  };
  return {
    domain: [0, 100],
    leastSpan: 100,
    panels: [{ id: 'reliability', unit: '%', title: 'Readings at or below the level', marks: 5, fixed: [0, 100], shapes: [diagonal, came] }],
    marks: [],
    ticks: () => TENTHS.map((at) => ({ at, label: at === 100 ? '100 %' : String(at), anchor: 'middle', isStrong: false })),
  };
}

/** The share of readings inside the 90 % band, from its two edges; null where they were not both forecast. */
export function coverageOf({ rows }: Reliability): number | null {
  const at = (level: number): number | undefined => rows.find(({ level_percent }) => level_percent === level)?.below_percent;
  const [lower, upper] = [at(5), at(95)];
  return lower === undefined || upper === undefined ? null : upper - lower;
}

/** What the band did, in one sentence. */
export function verdictOf(reliability: Reliability, intervals: string): string {
  const coverage = coverageOf(reliability);
  const counted = `${formatNumber(reliability.n)} ${intervals}`;
  return coverage === null ? `Of ${counted}.` : `${formatNumber(coverage, 1)}\u00a0% of ${counted} lay inside the 90\u00a0% band.`;
}
