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

/** The outline of each run, there along its upper edge and back along its lower one. */
export function outlines(points: readonly BandPoint[]): [number, number][][] {
  return runs(points).map((run) => {
    const [first] = run;
    const edges = run.length === 1 && first ? [{ ...first, x: first.x - first.reach }, { ...first, x: first.x + first.reach }] : run;
    const there = edges.map(({ x, upper }): [number, number] => [x, upper]);
    const back = edges.map(({ x, lower }): [number, number] => [x, lower]);
    return there.concat(back.toReversed());
  });
}
