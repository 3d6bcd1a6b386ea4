/** The plan step by step, as picture, readout, table and file show it. */
import { clockTicks } from '@/charts/ticks';
import type { Bar, Drawing, LineShape, Panel, Point, View } from '@/charts/types';
import type { HomePlan, PlannedThing } from '@/client';
import { type Cell, toCsv } from '@/lib/csv';
import { HOUR_MS, localIso } from '@/lib/time';

export interface PlanStep {
  start: number;
  end: number;
  price: number;
  isForecast: boolean;
  exportPrice: number;
  carbon: number | null;
  importKw: number;
  exportKw: number;
  loadKw: number;
  solarKw: number;
  /** Of each thing; what a battery gives is negative. */
  thingsKw: number[];
  storedKwh: (number | null)[];
  temperatureC: (number | null)[];
}

/** What a thing draws in a step; what a battery gives is negative. */
function drawn({ power_kw, gives_kw }: PlannedThing, index: number): number {
  return (power_kw[index] ?? 0) - (gives_kw?.[index] ?? 0);
}

export function stepsOf(plan: HomePlan): PlanStep[] {
  return plan.time.map((time, index): PlanStep => {
    const start = Date.parse(time);
    return {
      start,
      end: start + plan.step_minutes * 60_000,
      price: plan.import_price[index] ?? Number.NaN,
      isForecast: plan.is_price_forecast[index] ?? false,
      exportPrice: plan.export_price[index] ?? Number.NaN,
      carbon: plan.carbon?.[index] ?? null,
      importKw: plan.import_kw[index] ?? Number.NaN,
      exportKw: plan.export_kw[index] ?? Number.NaN,
      loadKw: plan.load_kw[index] ?? Number.NaN,
      solarKw: plan.solar_kw[index] ?? Number.NaN,
      thingsKw: plan.things.map((thing) => drawn(thing, index)),
      storedKwh: plan.things.map(({ stored_kwh }) => stored_kwh?.[index] ?? null),
      temperatureC: plan.things.map(({ temperature_c }) => temperature_c?.[index] ?? null),
    };
  });
}

/** A value holds from the begin of its step to the end; null is a gap. */
function stairs(steps: readonly PlanStep[], valueOf: (step: PlanStep) => number | null): Point[] {
  return steps.flatMap((step): Point[] => [
    [step.start, valueOf(step)],
    [step.end, valueOf(step)],
  ]);
}

function priceLines(steps: readonly PlanStep[]): LineShape[] {
  const line = (isForecast: boolean): LineShape => ({
    kind: 'line',
    id: isForecast ? 'price-forecast' : 'price',
    name: null,
    points: stairs(steps, (step) => (step.isForecast === isForecast ? step.price : null)),
    colour: isForecast ? 'price-forecast' : 'price',
    width: 2.5,
    ...(isForecast ? { dashes: '5 4' } : {}),
  });
  return [line(false), ...(steps.some(({ isForecast }) => isForecast) ? [line(true)] : [])];
}

const ROW_PX = 24;
const PANEL_PX = { price: 120, carbon: 90, battery: 76 };
const FRAME_PX = 52; // above the first panel and below the last
const BETWEEN_PX = 34;

const LEAST_KW = 0.005;

/** When a thing draws power: its spans where they are told, else the steps in which it does. */
function spansOf({ spans }: PlannedThing, index: number, steps: readonly PlanStep[]): (readonly [from: number, to: number])[] {
  if (spans) return spans.map(({ start, end }) => [Date.parse(start), Date.parse(end)] as const);
  const found: [number, number][] = [];
  for (const { start, end, thingsKw } of steps) {
    const last = found.at(-1);
    if ((thingsKw[index] ?? 0) < LEAST_KW) continue;
    if (last?.[1] === start) last[1] = end;
    else found.push([start, end]);
  }
  return found;
}

/** The things that run, each in its row, with its name beside its last span. */
function runsPanel({ things }: HomePlan, steps: readonly PlanStep[]): Panel[] {
  const shown = things.map((thing, index) => ({ ...thing, spans: spansOf(thing, index, steps) })).filter(({ kind, spans }) => kind !== 'battery' && spans.length > 0);
  if (shown.length === 0) return [];
  const bars = shown.flatMap(({ name, spans }, row) =>
    spans.map(([from, to], index): Bar => ({ from, to, row, name: index === spans.length - 1 ? name : '', colour: 'load' })),
  );
  return [{ id: 'runs', unit: '', shapes: [], bars, fixed: [0, 1], marks: 0, height: ROW_PX * shown.length }];
}

function batteryPanels({ things, start }: HomePlan, steps: readonly PlanStep[]): Panel[] {
  return things.flatMap(({ kind, name }, index): Panel[] => {
    if (kind !== 'battery') return [];
    const points = steps.map(({ end, storedKwh }): Point => [end, storedKwh[index] ?? null]);
    const line: LineShape = { kind: 'line', id: `stored-${name}`, name: null, points: points.filter(([x]) => x >= Date.parse(start)), colour: 'battery', width: 2.5 };
    return [{ id: `battery-${name}`, unit: 'kWh', title: `In the ${name}`, shapes: [line], hasZero: true, marks: 2, height: PANEL_PX.battery }];
  });
}

/** Runs as bars above the price, the carbon intensity and what batteries hold. */
export function planDrawing(plan: HomePlan, steps: readonly PlanStep[], now: number): Drawing {
  const [first, last] = [steps[0]?.start ?? now, steps.at(-1)?.end ?? now + HOUR_MS];
  const domain: View = [Math.min(first, Math.max(now, first - HOUR_MS)), last];
  const hasForecast = steps.some(({ isForecast }) => isForecast);
  const price: Panel = {
    id: 'price',
    unit: '',
    title: `Price, ${plan.currency}/kWh${hasForecast ? '; dashed: forecast' : ''}`,
    shapes: priceLines(steps),
    marks: 3,
    height: PANEL_PX.price,
  };
  const carbon: Panel[] =
    plan.carbon === null
      ? []
      : [
          {
            id: 'carbon',
            unit: '',
            title: 'Carbon, gCO2e/kWh, forecast',
            shapes: [{ kind: 'line', id: 'carbon', name: null, points: stairs(steps, (step) => step.carbon), colour: 'carbon-forecast', width: 2.5 }],
            marks: 3,
            height: PANEL_PX.carbon,
          },
        ];
  return {
    domain,
    leastSpan: Math.min(last - first, 3 * HOUR_MS),
    panels: [...runsPanel(plan, steps), price, ...carbon, ...batteryPanels(plan, steps)],
    marks: now > domain[0] - 1 && now < last ? [{ name: 'now', x: Math.max(now, domain[0]), colour: 'accent', place: 'right' }] : [],
    ticks: (view, width) => clockTicks(view, width, plan.time_zone, domain),
  };
}

/** How high a picture must be for all its panels. [px] */
export function heightOf({ panels }: Drawing): number {
  return FRAME_PX + BETWEEN_PX * (panels.length - 1) + panels.reduce((sum, { height = 0 }) => sum + height, 0);
}

function column(name: string, unit: string): string {
  return `${name.toLowerCase().replaceAll(/[^\p{L}\d]+/gu, '_')}_${unit}`;
}

export function csvOfSteps(plan: HomePlan, steps: readonly PlanStep[]): string {
  const money = plan.currency.toLowerCase();
  const hasStore = plan.things.map(({ kind }) => kind === 'battery' || kind === 'car');
  const isWarm = plan.things.map(({ kind }) => kind === 'heat');
  const header = [
    'start_utc',
    'local_start',
    `import_price_${money}_kwh`,
    'is_price_forecast',
    `export_price_${money}_kwh`,
    'carbon_gco2e_kwh',
    'import_kw',
    'export_kw',
    'load_kw',
    'solar_kw',
    ...plan.things.flatMap(({ name }, index) => [column(name, 'kw'), ...(hasStore[index] ? [column(name, 'stored_kwh')] : []), ...(isWarm[index] ? [column(name, 'degc')] : [])]),
    'simulated',
  ];
  const rows = steps.map((step): Cell[] => [
    new Date(step.start).toISOString(),
    localIso(step.start, plan.time_zone),
    step.price,
    step.isForecast,
    step.exportPrice,
    step.carbon,
    step.importKw,
    step.exportKw,
    step.loadKw,
    step.solarKw,
    ...step.thingsKw.flatMap((kw, index) => [kw, ...(hasStore[index] ? [step.storedKwh[index]] : []), ...(isWarm[index] ? [step.temperatureC[index]] : [])]),
    plan.is_simulated,
  ]);
  return toCsv(header, rows);
}
