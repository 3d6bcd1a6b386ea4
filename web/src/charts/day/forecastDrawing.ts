/** The picture of a day or a week: band, lines, gaps as gaps, marks for now and for the time of issue. */
import type { BandPoint } from '@/charts/band';
import { clockTicks } from '@/charts/ticks';
import type { Colour, Drawing, LineShape, Mark, Panel, Point, Tick, View } from '@/charts/types';
import { DAY_MS, HOUR_MS, formatShortDay } from '@/lib/time';

import { type Format, type Interval, doubtsOf, middleOf, rivalName } from './intervals';

export interface Scene {
  intervals: readonly Interval[];
  format: Format;
  now: number;
  /** When the forecast shown was made; null where there are several. */
  issuedAt: number | null;
  isSimulated: boolean;
}

export type LineName = 'forecast' | 'dayAhead' | 'operator' | 'actual' | 'naive';

/** What the lines are called; the picture shows the first rival only. */
export function lineNames({ rivals, usual }: Format): Record<LineName, string> {
  return { forecast: 'Forecast', dayAhead: 'Day-ahead', operator: rivalName(rivals[0] ?? 'operator'), actual: 'Actual', naive: usual?.name ?? 'Last week' };
}

interface LineLook {
  colour: Colour;
  width: number;
  dashes?: string;
}

const LINE_LOOKS: Record<LineName, LineLook> = {
  forecast: { colour: 'load-forecast', width: 2.5 },
  dayAhead: { colour: 'load-forecast', width: 1.25 },
  operator: { colour: 'rival', width: 1.75, dashes: '6 4' },
  actual: { colour: 'load', width: 2.5 },
  naive: { colour: 'naive', width: 1.5, dashes: '0.5 4' },
};

const OF_CARBON: Partial<Record<Colour, Colour>> = { load: 'carbon', 'load-forecast': 'carbon-forecast' };

/** How a line looks, in the colour of what is forecast; the readout's key shows the same. */
export function lookOf(name: LineName, { quantity }: Format): LineLook {
  const look = LINE_LOOKS[name];
  return quantity === 'carbon' ? { ...look, colour: OF_CARBON[look.colour] ?? look.colour } : look;
}

const TEMPERATURE_PX = 60;

/** Values in the middle of their intervals; intervals that are absent altogether are a gap as much as those without a value. */
function pointsOf(intervals: readonly Interval[], valueOf: (interval: Interval) => number | null): Point[] {
  const points: Point[] = [];
  for (const [index, interval] of intervals.entries()) {
    const before = intervals[index - 1];
    if (before && interval.start > before.end) points.push([(before.end + interval.start) / 2, null]);
    points.push([middleOf(interval), valueOf(interval)]);
  }
  return points;
}

/** Where what was measured cannot be right, as the source or our checks say; null where there is none. */
function doubtedAmong(intervals: readonly Interval[]): ReadonlySet<number> | null {
  const places = intervals.filter(({ flags, actual }) => actual !== null && doubtsOf(flags).length > 0).map(middleOf);
  return places.length > 0 ? new Set(places) : null;
}

function line(name: LineName, { intervals, format }: Scene): LineShape {
  const { divisor } = format.shownIn;
  const points = pointsOf(intervals, (interval) => (interval[name] === null ? null : interval[name] / divisor));
  const doubted = name === 'actual' ? doubtedAmong(intervals) : null;
  return { kind: 'line', id: name, name: lineNames(format)[name], points, ...lookOf(name, format), ...(doubted ? { doubted } : {}) };
}

/** What was measured; what came after the forecast was made is a paler line of its own that goes on from the first. */
function measured(scene: Scene): LineShape[] {
  const { intervals } = scene;
  const whole = line('actual', scene);
  if (!intervals.some(({ isLater }) => isLater)) return [whole];
  const part = (isLater: boolean): Point[] =>
    whole.points.map(([x, y]): Point => {
      const index = intervals.findIndex((interval) => middleOf(interval) === x);
      const [here, next] = [intervals[index], intervals[index + 1]];
      const isLink = isLater && next?.isLater === true && next.start === here?.end;
      return [x, here?.isLater === isLater || isLink ? y : null];
    });
  const later: LineShape = { ...whole, id: 'later', points: part(true), isFaint: true, width: 2 };
  const before: LineShape = { ...whole, points: part(false), name: null };
  return before.points.some(([, y]) => y !== null) ? [before, later] : [later];
}

function band({ intervals, format: { shownIn } }: Scene): BandPoint[] {
  const edge = (value: number | null): number | null => (value === null ? null : value / shownIn.divisor);
  return intervals.flatMap((interval, index): BandPoint[] => {
    const before = intervals[index - 1];
    const reach = (interval.end - interval.start) / 2;
    const gap = before && interval.start > before.end ? [{ x: before.end, lower: null, upper: null, reach }] : [];
    return [...gap, { x: middleOf(interval), lower: edge(interval.lower), upper: edge(interval.upper), reach }];
  });
}

function marksOf({ intervals, now, issuedAt }: Scene): Mark[] {
  const begins = intervals[0]?.start ?? 0;
  const ends = intervals.at(-1)?.end ?? 0;
  const isLive = issuedAt !== null && now - issuedAt < DAY_MS;
  const marks: Mark[] = [
    // The newest forecast is made just before now: two words would cover each other, and one says enough.
    ...(issuedAt === null || isLive ? [] : [{ name: 'issued', x: issuedAt, colour: 'muted', dashes: '2 3', place: 'left' } as const]),
    { name: 'now', x: now, colour: 'accent', place: 'right' },
  ];
  return marks.filter(({ x }) => begins < x && x < ends);
}

const DATE_PX = 84;

/** Days have their date under their middle, as many as have room. */
function dateTicks([from, to]: View, width: number, intervals: readonly Interval[], timeZone: string): Tick[] {
  const seen = intervals.filter((interval) => middleOf(interval) >= from && middleOf(interval) <= to);
  const every = Math.max(1, Math.ceil((seen.length * DATE_PX) / width));
  return seen
    .filter((_, index) => index % every === 0)
    .map((interval) => ({ at: middleOf(interval), label: formatShortDay(interval.start, timeZone), anchor: 'middle', isStrong: false }));
}

/** The weather has no colour of its own: it is what the load follows, not what is forecast here. */
function temperaturePanel({ intervals }: Scene): Panel[] {
  const seen = intervals.filter(({ temperature }) => temperature !== null);
  if (seen.length === 0) return [];
  const firstAhead = intervals.findIndex(({ isWarmthForecast }) => isWarmthForecast);
  const [before, first] = [intervals[firstAhead - 1], intervals[firstAhead]];
  const goesOn = before !== undefined && first !== undefined && before.end === first.start && before.temperature !== null;
  const part = (isAhead: boolean): LineShape => ({
    kind: 'line',
    id: isAhead ? 'temperature-ahead' : 'temperature',
    name: null,
    points: pointsOf(
      intervals.filter((_, index) => firstAhead < 0 || (isAhead ? index >= firstAhead - (goesOn ? 1 : 0) : index < firstAhead)),
      ({ temperature }) => temperature,
    ),
    colour: 'muted',
    width: 1.75,
    ...(isAhead ? { dashes: '2 4' } : {}),
  });
  const shapes = firstAhead < 0 ? [part(false)] : [part(false), part(true)];
  const title = firstAhead < 0 ? 'Temperature' : 'Temperature, dotted where forecast';
  return [{ id: 'temperature', unit: '°C', title, shapes, height: TEMPERATURE_PX, marks: 2 }];
}

const LONGEST_UNIT = 6; // letters that have room beside the axis

/** A long unit stands above the panel. */
function unitOf(unit: string): Pick<Panel, 'unit' | 'title'> {
  return unit.length > LONGEST_UNIT ? { unit: '', title: unit } : { unit };
}

export function forecastDrawing(scene: Scene): Drawing {
  const { intervals, format, isSimulated } = scene;
  const domain: View = [intervals[0]?.start ?? 0, intervals.at(-1)?.end ?? 1];
  const has = (name: LineName): boolean => intervals.some((interval) => interval[name] !== null);
  const lines = (['naive', 'operator', 'dayAhead', 'forecast'] as const).filter(has).map((name) => line(name, scene));
  const doubted = intervals.flatMap((interval): [number, number][] =>
    interval.doubts.length > 0 && interval.actual !== null ? [[middleOf(interval), interval.actual / format.shownIn.divisor]] : [],
  );
  const main: Panel = {
    id: 'load',
    ...unitOf(format.shownIn.unit),
    marks: 4,
    shapes: [
      { kind: 'band', id: 'band', points: band(scene), ...(format.quantity ? { quantity: format.quantity } : {}), isHatched: isSimulated },
      ...lines,
      ...(has('actual') ? measured(scene) : []),
      ...(doubted.length > 0 ? [{ kind: 'doubts', id: 'doubted', points: doubted } as const] : []),
    ],
  };
  return {
    domain,
    leastSpan: Math.min(domain[1] - domain[0], Math.max(3 * HOUR_MS, 6 * format.step.ms)),
    panels: [main, ...temperaturePanel(scene)],
    marks: marksOf(scene),
    ticks: (view, width) =>
      format.step.ms === DAY_MS ? dateTicks(view, width, intervals, format.timeZone) : clockTicks(view, width, format.timeZone, domain),
  };
}
