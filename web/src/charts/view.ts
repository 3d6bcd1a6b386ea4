/** Which part of a chart is in sight, and how it moves. */
import type { View } from '@/charts/types';

/** Kept within the whole, and no smaller than the least. */
export function fitted([from, to]: View, [begins, ends]: View, leastSpan: number): View {
  const span = Math.min(ends - begins, Math.max(leastSpan, to - from));
  const middle = (from + to) / 2;
  const start = Math.min(Math.max(to - from === span ? from : middle - span / 2, begins), ends - span);
  return [start, start + span];
}

/** Nearer for a factor below one, farther above it; what is `around` stays where it is. */
export function zoomed([from, to]: View, factor: number, around: number, domain: View, leastSpan: number): View {
  const span = Math.min(domain[1] - domain[0], Math.max(leastSpan, (to - from) * factor));
  const share = to > from ? (around - from) / (to - from) : 0.5;
  const start = around - share * span;
  return fitted([start, start + span], domain, leastSpan);
}

/** Moved along by so much. */
export function moved([from, to]: View, by: number, domain: View): View {
  return fitted([from + by, to + by], domain, to - from);
}

/** Moved just so far that an instant is in sight. */
export function showing(view: View, at: number, domain: View): View {
  const [from, to] = view;
  if (at < from) return moved(view, at - from - (to - from) / 10, domain);
  return at > to ? moved(view, at - to + (to - from) / 10, domain) : view;
}

export function isWhole(view: View, domain: View): boolean {
  return view[1] - view[0] >= domain[1] - domain[0];
}
