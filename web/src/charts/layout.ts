/** Where everything on a chart stands: axes, scales and the places of words. */
import { formatNumber } from '@/lib/numbers';

import { spread } from './captions';
import type { Bar, Drawing, LineShape, Panel, View } from './types';

const CHARACTER_PX = 7;
const TOP_PX = 26;
const BOTTOM_PX = 26;
const BETWEEN_PX = 34;
/** A line that ends within so much of the right end is named in the margin. */
const AT_END = 0.08;

type Scale = (value: number) => number;

/** Round numbers to mark an axis with, about so many between its ends. */
export function niceMarks(lowest: number, highest: number, count: number): number[] {
  const span = highest - lowest || Math.abs(highest) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const steps = [1, 2, 2.5, 5, 10].map((part) => part * power);
  const miss = (step: number): number => Math.abs(span / step - count);
  const step = steps.reduce((best, candidate) => (miss(candidate) < miss(best) ? candidate : best));
  const first = Math.ceil(lowest / step - 1e-9);
  const last = Math.floor(highest / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

function valuesIn({ shapes }: Panel, [from, to]: View, withDoubted: boolean): number[] {
  return shapes.flatMap((shape) => {
    if (shape.kind === 'doubts') return []; // marks on a line
    const leftOut = shape.kind === 'line' && !withDoubted ? shape.doubted : undefined;
    return shape.points.flatMap((point) => {
      const [x, ...ys] = 'x' in point ? [point.x, point.lower, point.upper] : point;
      return x >= from && x <= to && !leftOut?.has(x) ? ys.filter((y) => y !== null) : [];
    });
  });
}

/** The lowest and the highest value of a panel among what is in sight; a doubted one counts only where there is no other. */
export function extentOf(panel: Panel, view: View): [number, number] {
  const sure = valuesIn(panel, view, false);
  const values = [...(panel.hasZero ? [0] : []), ...(sure.length > 0 ? sure : valuesIn(panel, view, true))];
  return values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
}

export interface PlacedPanel {
  panel: Panel;
  top: number;
  bottom: number;
  y: Scale;
  /** The same, for a value that may be beyond the ends of the axis. */
  within: Scale;
  marks: { at: number; label: string }[];
}

export interface Caption {
  id: string;
  text: string;
  x: number;
  y: number;
  anchor: 'start' | 'end';
}

export interface Layout {
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: Scale;
  /** The instant at a place. */
  at: (x: number) => number;
  panels: PlacedPanel[];
}

function longestName(drawing: Drawing): number {
  const names = drawing.panels.flatMap(({ shapes }) => shapes.flatMap((shape) => (shape.kind === 'line' && shape.name ? [shape.name.length] : [])));
  return Math.max(0, ...names);
}

/** How much of its span an axis goes beyond what it shows. */
const ROOM = 0.06;

interface Axis {
  ends: readonly [number, number];
  marks: { at: number; label: string }[];
}

/** The ends of an axis and its marks, with the decimals that tell them apart. */
function axisOf(panel: Panel, view: View): Axis {
  const [lowest, highest] = panel.fixed ?? extentOf(panel, view);
  const room = ROOM * (highest - lowest || Math.abs(highest) || 1);
  const isAtZero = panel.hasZero === true && lowest === 0;
  const ends = panel.fixed ?? ([isAtZero ? 0 : lowest - room, highest + room] as const);
  const marks = panel.marks === 0 ? [] : niceMarks(ends[0], ends[1], panel.marks);
  const digits = decimalsOf(marks);
  return { ends, marks: marks.map((at) => ({ at, label: formatNumber(at, digits) })) };
}

function decimalsOf(marks: readonly number[]): number {
  return Math.min(3, Math.max(0, ...marks.map((mark) => String(mark).split('.')[1]?.length ?? 0)));
}

export function layOut(drawing: Drawing, view: View, width: number, height: number): Layout {
  const axes = drawing.panels.map((panel) => axisOf(panel, view));
  const longest = Math.max(...axes.flatMap(({ marks }) => marks.map(({ label }) => label.length)), ...drawing.panels.map(({ unit }) => unit.length));
  const left = 14 + CHARACTER_PX * longest;
  const right = Math.max(left + 40, width - (longestName(drawing) > 0 ? Math.max(20, 10 + CHARACTER_PX * longestName(drawing)) : 26));
  const bottom = height - BOTTOM_PX;
  const given = drawing.panels.reduce((sum, panel) => sum + (panel.height ?? 0), 0);
  const flexible = drawing.panels.filter((panel) => panel.height === undefined).length;
  const rest = (bottom - TOP_PX - given - BETWEEN_PX * (drawing.panels.length - 1)) / Math.max(1, flexible);
  let top = TOP_PX;
  const panels = drawing.panels.map((panel, index): PlacedPanel => {
    const placed = { top, bottom: top + (panel.height ?? rest) };
    top = placed.bottom + BETWEEN_PX;
    const { marks, ends: [lowest, highest] } = axes[index] ?? { marks: [], ends: [0, 1] };
    const y: Scale = (value) => placed.bottom - ((value - lowest) / (highest - lowest)) * (placed.bottom - placed.top);
    const within: Scale = (value) => Math.min(placed.bottom, Math.max(placed.top, y(value)));
    return { panel, ...placed, y, within, marks };
  });
  const [from, to] = view;
  return {
    left,
    right,
    top: TOP_PX,
    bottom,
    x: (instant) => left + ((instant - from) / (to - from)) * (right - left),
    at: (x) => from + ((x - left) / (right - left)) * (to - from),
    panels,
  };
}

interface PlacedBar {
  x: number;
  y: number;
  width: number;
  height: number;
  /** As much of its name as has room. */
  name: string;
  nameAt: number;
  anchor: 'start' | 'end';
}

/** Where a bar stands in its row, on which side of it its name has room, and how much of it. */
export function placeOfBar({ from, to, row, name }: Bar, { panel, top, bottom }: PlacedPanel, { x, left, right }: Layout): PlacedBar {
  const rows = 1 + Math.max(0, ...(panel.bars ?? []).map((bar) => bar.row));
  const height = (bottom - top) / rows;
  const [begins, ends] = [Math.max(left, x(from)), Math.min(right, x(to))];
  const hasRoom = right - ends >= CHARACTER_PX * name.length || right - ends >= begins - left;
  const room = Math.floor((hasRoom ? right - ends : begins - left) / CHARACTER_PX);
  const shown = name.length > room ? `${name.slice(0, Math.max(1, room - 1))}…` : name;
  return { name: shown, x: begins, width: Math.max(2, ends - begins), y: top + row * height + 3, height: height - 6, nameAt: hasRoom ? ends + 5 : begins - 5, anchor: hasRoom ? 'start' : 'end' };
}

/** Each line's name where it ends in sight: in the margin at the right end, else above or below its last value. */
export function captionsOf({ panel, within }: PlacedPanel, { x, left, right }: Layout, view: View): Caption[] {
  const named = panel.shapes.filter((shape): shape is LineShape => shape.kind === 'line' && shape.name !== null);
  const spots = named.flatMap((shape) => {
    const seen = shape.points.filter((point): point is readonly [number, number] => point[1] !== null && point[0] >= view[0] && point[0] <= view[1]);
    const [last, before] = [seen.at(-1), seen.at(-2)];
    if (!last) return [];
    const isFalling = before !== undefined && last[1] < before[1];
    return [{ id: shape.id, text: shape.name ?? '', x: x(last[0]), y: within(last[1]), isAtEnd: right - x(last[0]) < Math.max(24, AT_END * (right - left)), isFalling }];
  });
  const atEnd = spots.filter(({ isAtEnd }) => isAtEnd);
  const heights = spread(atEnd.map((spot) => spot.y));
  return spots.map(({ id, text, x: at, y: height, isAtEnd, isFalling }) =>
    isAtEnd
      ? { id, text, x: right + 6, y: heights[atEnd.findIndex((spot) => spot.id === id)] ?? height, anchor: 'start' }
      : { id, text, x: at, y: height + (isFalling ? 14 : -14), anchor: 'end' },
  );
}
