import type { CustomSeriesOption } from 'echarts/charts';

export interface BandPoint {
  x: number;
  lower: number | null;
  upper: number | null;
  /** Half the length of its interval: as wide as that is a band with neighbours on neither side. */
  reach: number;
}

type Edge = BandPoint & { lower: number; upper: number };

/** Runs of points that have both edges; a gap ends a run. */
export function runs(points: readonly BandPoint[]): Edge[][] {
  const found: Edge[][] = [[]];
  for (const point of points) {
    const last = found.at(-1);
    if (point.lower !== null && point.upper !== null) last?.push({ ...point, lower: point.lower, upper: point.upper });
    else if (last && last.length > 0) found.push([]);
  }
  return found.filter((run) => run.length > 0);
}

interface BandLook {
  fill: string;
  /** Colour of the hatching that marks invented or estimated values, or none. */
  hatch: string | null;
}

/** The area between two edges, as a chart series. */
export function bandSeries(id: string, points: readonly BandPoint[], { fill, hatch }: BandLook): CustomSeriesOption {
  const found = runs(points);
  const decal = hatch ? { symbol: 'rect', color: hatch, dashArrayX: [1, 0], dashArrayY: [1, 7], rotation: -Math.PI / 4 } : undefined;
  return {
    id,
    type: 'custom',
    silent: true,
    clip: true,
    z: 1,
    // Every point is given, so that the axis makes room for both edges; the first point of a run draws it all.
    data: found.flat().map(({ x, lower, upper }) => [x, lower, upper]),
    encode: { x: 0, y: [1, 2] },
    renderItem: (params, api) => {
      const run = found.find(([first]) => first === found.flat()[params.dataIndex]);
      if (!run) return null;
      const [first] = run;
      const edges = run.length === 1 && first ? [{ ...first, x: first.x - first.reach }, { ...first, x: first.x + first.reach }] : run;
      const along = edges.map(({ x, upper }) => api.coord([x, upper]));
      const back = edges.map(({ x, lower }) => api.coord([x, lower])).toReversed();
      return { type: 'polygon', shape: { points: [...along, ...back] }, style: { fill, ...(decal ? { decal } : {}) } };
    },
  };
}
