import type { CustomSeriesOption } from 'echarts/charts';

/** Words on a chart: at the end of a line, or at the top beside a mark. */
export interface Caption {
  text: string;
  x: number;
  /** The value it belongs to, or null for the top of the chart. */
  y: number | null;
  place: 'after' | 'above' | 'below' | 'left' | 'right' | 'centre';
  color: string;
}

const LINE_HEIGHT = 15;
const GAP = 6;

/** Heights moved apart until each has its line, keeping their order and their middle. */
export function spread(heights: readonly number[], distance = LINE_HEIGHT): number[] {
  const order = heights.map((_, index) => index).toSorted((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  const placed = [...heights];
  for (const [rank, index] of order.entries()) {
    const above = order[rank - 1];
    if (above !== undefined) placed[index] = Math.max(placed[index] ?? 0, (placed[above] ?? 0) + distance);
  }
  const moved = placed.reduce((sum, height, index) => sum + height - (heights[index] ?? 0), 0) / Math.max(1, heights.length);
  return placed.map((height) => height - moved);
}

const TEXT_PLACES = {
  after: { align: 'left', verticalAlign: 'middle', shift: [GAP, 0] },
  above: { align: 'right', verticalAlign: 'bottom', shift: [0, -GAP] },
  below: { align: 'right', verticalAlign: 'top', shift: [0, GAP] },
  left: { align: 'right', verticalAlign: 'bottom', shift: [-GAP / 2, -GAP / 2] },
  right: { align: 'left', verticalAlign: 'bottom', shift: [GAP / 2, -GAP / 2] },
  centre: { align: 'center', verticalAlign: 'bottom', shift: [0, -GAP / 2] },
} as const;

interface CaptionLook {
  fontFamily: string;
  /** Colour of the surface; it keeps words apart from lines they cross. */
  ground: string;
}

/** The captions as a chart series; those at line ends never cover each other. */
export function captionSeries(id: string, captions: readonly Caption[], look: CaptionLook): CustomSeriesOption {
  return {
    id,
    type: 'custom',
    silent: true,
    z: 9,
    data: captions.length > 0 ? [[captions[0]?.x ?? 0, captions[0]?.y ?? 0]] : [],
    renderItem: (params, api) => {
      const { y: top = 0 } = params.coordSys as { y?: number };
      const spots = captions.map(({ x, y }) => {
        const [left = 0, height = 0] = api.coord([x, y ?? 0]);
        return { left, height: y === null ? top : height };
      });
      const ends = captions.flatMap(({ place }, index) => (place === 'after' ? [index] : []));
      const heights = spread(ends.map((index) => spots[index]?.height ?? 0));
      return {
        type: 'group',
        children: captions.map(({ text, color, place }, index) => {
          const { align, verticalAlign, shift } = TEXT_PLACES[place];
          const height = place === 'after' ? heights[ends.indexOf(index)] : spots[index]?.height;
          return {
            type: 'text' as const,
            x: (spots[index]?.left ?? 0) + shift[0],
            y: (height ?? 0) + shift[1],
            style: { text, fill: color, fontSize: 12, fontFamily: look.fontFamily, stroke: look.ground, lineWidth: 3, align, verticalAlign },
          };
        }),
      };
    },
  };
}
