/** What a chart shows, free of how it is drawn. */
import type { BandPoint } from '@/charts/band';

export type Colour =
  | 'load'
  | 'load-forecast'
  | 'price'
  | 'price-forecast'
  | 'carbon'
  | 'carbon-forecast'
  | 'battery'
  | 'rival'
  | 'naive'
  | 'accent'
  | 'muted';

export type Point = readonly [x: number, y: number | null];

export interface LineShape {
  kind: 'line';
  id: string;
  /** Written where the line ends; a line without a name has none. */
  name: string | null;
  /** From left to right; null is a gap. */
  points: readonly Point[];
  colour: Colour;
  width: number;
  dashes?: string;
  /** Drawn paler: what came after the forecast was made. */
  isFaint?: boolean;
  /** A dot on every point. */
  hasDots?: boolean;
  /** Where its value cannot be right: the axis does not reach so far, and the line stays at the axis's end. */
  doubted?: ReadonlySet<number>;
}

export interface BandShape {
  kind: 'band';
  id: string;
  points: readonly BandPoint[];
  /** Of which quantity; the load's if none is named. */
  quantity?: 'carbon';
  /** Marks what is invented. */
  isHatched: boolean;
}

/** Hollow diamonds: values somebody should doubt. */
export interface DoubtShape {
  kind: 'doubts';
  id: string;
  points: readonly (readonly [number, number])[];
}

/** A span in a row of its panel. */
export interface Bar {
  from: number;
  to: number;
  /** Which row of its panel it stands in, counted from the top. */
  row: number;
  /** Written beside it; nothing where it is empty. */
  name: string;
  colour: Colour;
}

export type Shape = LineShape | BandShape | DoubtShape;

export interface Panel {
  id: string;
  unit: string;
  /** Said above the panel, beside its unit. */
  title?: string;
  shapes: readonly Shape[];
  /** What lasts from one instant to another, in rows; a panel that has them has no axis. */
  bars?: readonly Bar[];
  /** A height in pixels; the panel without one takes what is left. */
  height?: number;
  /** About how many marks its axis has; none for 0. */
  marks: number;
  /** The ends of its axis; without them it is fitted to what is in sight. */
  fixed?: readonly [number, number];
  /** Whether nought is always in sight. */
  hasZero?: boolean;
}

/** An instant or level that concerns all panels. */
export interface Mark {
  name: string;
  x: number;
  colour: Colour;
  dashes?: string;
  place: 'left' | 'right';
}

export interface Tick {
  at: number;
  label: string;
  /** Days stand at their beginning, clock times under their tick. */
  anchor: 'start' | 'middle';
  isStrong: boolean;
}

export type View = readonly [from: number, to: number];

export interface Drawing {
  domain: View;
  /** The least that can be zoomed into. */
  leastSpan: number;
  panels: readonly Panel[];
  marks: readonly Mark[];
  ticks: (view: View, width: number) => readonly Tick[];
}

/** The interval under the pointer or the arrow keys. */
export interface Cursor {
  x: number;
  points: readonly { panel: string; y: number; colour: Colour }[];
}
