/** Draws a chart as SVG in the colours of the theme; lines, bands and words come from a Drawing. */
import { type PointerEvent, type ReactElement, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react';

import { outlines } from '@/charts/band';
import { type Layout, type PlacedPanel, captionsOf, layOut, placeOfBar } from '@/charts/layout';
import type { Colour, Cursor, Drawing, LineShape, Shape, View } from '@/charts/types';
import { isWhole, moved, zoomed } from '@/charts/view';

// Written out, so that Tailwind finds them.
const STROKES: Record<Colour, string> = {
  load: 'stroke-load',
  'load-forecast': 'stroke-load-forecast',
  price: 'stroke-price',
  'price-forecast': 'stroke-price-forecast',
  carbon: 'stroke-carbon',
  'carbon-forecast': 'stroke-carbon-forecast',
  battery: 'stroke-battery',
  rival: 'stroke-rival',
  naive: 'stroke-naive',
  accent: 'stroke-accent',
  muted: 'stroke-muted',
};
const FILLS: Record<Colour, string> = {
  load: 'fill-load',
  'load-forecast': 'fill-load-forecast',
  price: 'fill-price',
  'price-forecast': 'fill-price-forecast',
  carbon: 'fill-carbon',
  'carbon-forecast': 'fill-carbon-forecast',
  battery: 'fill-battery',
  rival: 'fill-rival',
  naive: 'fill-naive',
  accent: 'fill-accent',
  muted: 'fill-muted',
};
const WHEEL_STEP = 1.0015;

interface ChartProps {
  drawing: Drawing;
  view: View;
  cursor: Cursor | null;
  /** Where along the horizontal axis the pointer is. */
  onPoint: (x: number) => void;
  onView: (view: View) => void;
}

const px = (value: number): string => value.toFixed(1);

function pathOf({ points, doubted }: LineShape, { x }: Layout, { y, within }: PlacedPanel): string {
  let isDown = false;
  const steps: string[] = [];
  for (const [at, value] of points) {
    if (value !== null) steps.push(`${isDown ? 'L' : 'M'}${px(x(at))} ${px((doubted?.has(at) ? within : y)(value))}`);
    isDown = value !== null;
  }
  return steps.join('');
}

/** Values that no line leads to, between two gaps. */
function alone({ points }: LineShape): (readonly [number, number])[] {
  return points.filter((point, index): point is readonly [number, number] => {
    const [before, after] = [points[index - 1]?.[1] ?? null, points[index + 1]?.[1] ?? null];
    return point[1] !== null && before === null && after === null;
  });
}

interface ShapeProps {
  shape: Shape;
  layout: Layout;
  placed: PlacedPanel;
  hatch: string;
}

interface BarsProps {
  placed: PlacedPanel;
  layout: Layout;
}

function Bars({ placed, layout }: BarsProps): ReactElement[] {
  return (placed.panel.bars ?? []).map((bar) => {
    const { x, width, y, height } = placeOfBar(bar, placed, layout);
    return <rect key={`${bar.row} ${bar.from}`} data-bar={bar.name} x={px(x)} y={px(y)} width={px(width)} height={px(height)} rx="3" className={FILLS[bar.colour]} />;
  });
}

/** The names of bars that are in sight, beside them. */
function BarNames({ placed, layout, view }: BarsProps & { view: View }): ReactElement[] {
  return (placed.panel.bars ?? [])
    .filter(({ from, to, name }) => name !== '' && to > view[0] && from < view[1])
    .map((bar) => {
      const { name, nameAt, y, height, anchor } = placeOfBar(bar, placed, layout);
      return (
        <Words key={`${bar.row} ${bar.from}`} x={nameAt} y={y + height / 2 + 4} anchor={anchor}>
          {name}
        </Words>
      );
    });
}

function Drawn({ shape, layout, placed, hatch }: ShapeProps): ReactElement {
  const { x } = layout;
  const { y, within } = placed;
  if (shape.kind === 'band') {
    const outline = outlines(shape.points)
      .map((points) => `M${points.map(([at, value]) => `${px(x(at))} ${px(y(value))}`).join('L')}Z`)
      .join('');
    return (
      <g data-shape={shape.id}>
        <path d={outline} className={shape.quantity === 'carbon' ? 'fill-carbon-band' : 'fill-load-band'} />
        {shape.isHatched ? <path d={outline} fill={`url(#${hatch})`} /> : null}
      </g>
    );
  }
  if (shape.kind === 'doubts') {
    return (
      <g data-shape={shape.id} className="fill-surface stroke-warn" strokeWidth="2">
        {shape.points.map(([at, value]) => (
          <path key={at} d={`M${px(x(at))} ${px(within(value) - 6)}l6 6l-6 6l-6 -6Z`} />
        ))}
      </g>
    );
  }
  const dots = shape.hasDots ? shape.points.filter((point): point is readonly [number, number] => point[1] !== null) : alone(shape);
  return (
    <g data-shape={shape.id} opacity={shape.isFaint ? 0.65 : undefined}>
      <path
        d={pathOf(shape, layout, placed)}
        fill="none"
        className={STROKES[shape.colour]}
        strokeWidth={shape.width}
        strokeDasharray={shape.dashes}
        strokeLinejoin="round"
        strokeLinecap="round"
      />
      {dots.map(([at, value]) => (
        <circle key={at} cx={px(x(at))} cy={px(within(value))} r={shape.hasDots ? 3 : 4} className={FILLS[shape.colour]} />
      ))}
    </g>
  );
}

interface TextProps {
  x: number;
  y: number;
  anchor?: 'start' | 'middle' | 'end';
  className?: string;
  children: ReactNode;
}

/** Words keep their distance from lines they cross. */
function Words({ x, y, anchor = 'start', className = 'fill-ink', children }: TextProps): ReactElement {
  return (
    <text x={px(x)} y={px(y)} textAnchor={anchor} className={`${className} stroke-surface`} strokeWidth="3" paintOrder="stroke" strokeLinejoin="round">
      {children}
    </text>
  );
}

function Axes({ placed, layout }: { placed: PlacedPanel; layout: Layout }): ReactElement {
  const { panel, top, marks, y } = placed;
  return (
    <g>
      {marks.map(({ at, label }) => (
        <g key={at}>
          <line x1={layout.left} x2={layout.right} y1={px(y(at))} y2={px(y(at))} className="stroke-line" />
          <text x={layout.left - 8} y={px(y(at) + 4)} textAnchor="end" className="fill-muted">
            {label}
          </text>
        </g>
      ))}
      <text x={layout.left - 8} y={top - 11} textAnchor="end" className="fill-muted">
        {panel.unit}
      </text>
      {panel.title ? (
        <text x={layout.left} y={top - 11} className="fill-muted">
          {panel.title}
        </text>
      ) : null}
    </g>
  );
}

interface FrameProps {
  drawing: Drawing;
  view: View;
  layout: Layout;
  hatch: string;
  clip: string;
}

function Frame({ drawing, view, layout, hatch, clip }: FrameProps): ReactElement {
  const { left, right, top, bottom, x } = layout;
  const ticks = drawing.ticks(view, right - left);
  const marks = drawing.marks.filter((mark) => mark.x >= view[0] && mark.x <= view[1]);
  return (
    <>
      <defs>
        <clipPath id={clip}>
          <rect x={left} y="0" width={right - left} height={bottom} />
        </clipPath>
        <pattern id={hatch} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="7" className="stroke-surface" strokeWidth="2" />
        </pattern>
      </defs>
      {layout.panels.map((placed) => (
        <Axes key={placed.panel.id} placed={placed} layout={layout} />
      ))}
      {ticks.map(({ at, label, anchor, isStrong }) => (
        <g key={at}>
          {isStrong ? <line x1={px(x(at))} x2={px(x(at))} y1={top} y2={bottom + 6} className="stroke-line" /> : null}
          <line x1={px(x(at))} x2={px(x(at))} y1={bottom} y2={bottom + 5} className="stroke-control-line" />
          <text
            x={px(x(at) + (anchor === 'start' ? 4 : 0))}
            y={bottom + 19}
            textAnchor={anchor}
            className={isStrong ? 'fill-ink font-semibold' : 'fill-muted'}
          >
            {label}
          </text>
        </g>
      ))}
      <g clipPath={`url(#${clip})`}>
        {layout.panels.map((placed) =>
          placed.panel.shapes.map((shape) => <Drawn key={`${placed.panel.id} ${shape.id}`} shape={shape} layout={layout} placed={placed} hatch={hatch} />),
        )}
        {layout.panels.map((placed) => (
          <Bars key={placed.panel.id} placed={placed} layout={layout} />
        ))}
        {marks.map((mark) => (
          <line
            key={mark.name}
            data-mark={mark.name}
            x1={px(x(mark.x))}
            x2={px(x(mark.x))}
            y1={top - 8}
            y2={bottom}
            className={STROKES[mark.colour]}
            strokeWidth="1.5"
            strokeDasharray={mark.dashes}
          />
        ))}
      </g>
      {marks.map((mark) => (
        <Words
          key={mark.name}
          x={x(mark.x) + (mark.place === 'left' ? -4 : 4)}
          y={top - 4}
          anchor={mark.place === 'left' ? 'end' : 'start'}
          className={FILLS[mark.colour]}
        >
          {mark.name}
        </Words>
      ))}
      {layout.panels.map((placed) => (
        <BarNames key={placed.panel.id} placed={placed} layout={layout} view={view} />
      ))}
      {layout.panels.map((placed) =>
        captionsOf(placed, layout, view).map(({ id, text, x: at, y, anchor }) => (
          <Words key={`${placed.panel.id} ${id}`} x={at} y={y + 4} anchor={anchor}>
            {text}
          </Words>
        )),
      )}
    </>
  );
}

function Pointed({ cursor, layout }: { cursor: Cursor; layout: Layout }): ReactElement | null {
  const at = layout.x(cursor.x);
  if (at < layout.left - 1 || at > layout.right + 1) return null;
  return (
    <g>
      <line x1={px(at)} x2={px(at)} y1={layout.top} y2={layout.bottom} className="stroke-muted" />
      {cursor.points.map(({ panel, y, colour }) => {
        const placed = layout.panels.find((candidate) => candidate.panel.id === panel);
        return placed ? (
          <circle key={`${panel} ${colour} ${y}`} cx={px(at)} cy={px(placed.within(y))} r="4" className={`${FILLS[colour]} stroke-surface`} strokeWidth="1.5" />
        ) : null;
      })}
    </g>
  );
}

/** The size of a box as it changes; before it is known, a usual one. */
function useSize(): [React.RefObject<HTMLDivElement | null>, { width: number; height: number }] {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 640, height: 320 });
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width > 0 && height > 0) setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return [box, size];
}

/** The wheel zooms with Ctrl (so does a pinch on a touchpad) and on a chart that has the focus; else the page scrolls. */
function useWheel(box: React.RefObject<HTMLDivElement | null>, onWheel: (event: WheelEvent) => void): void {
  const latest = useRef(onWheel);
  useEffect(() => {
    latest.current = onWheel;
  }, [onWheel]);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const listen = (event: WheelEvent): void => {
      const hasFocus = document.activeElement?.contains(element) === true && document.activeElement !== document.body;
      if (!event.ctrlKey && !hasFocus) return;
      event.preventDefault();
      latest.current(event);
    };
    element.addEventListener('wheel', listen, { passive: false });
    return () => element.removeEventListener('wheel', listen);
  }, [box]);
}

export default function Chart({ drawing, view, cursor, onPoint, onView }: ChartProps): ReactElement {
  const [box, { width, height }] = useSize();
  const id = useId();
  const layout = useMemo(() => layOut(drawing, view, width, height), [drawing, view, width, height]);
  const frame = useMemo(
    () => <Frame drawing={drawing} view={view} layout={layout} hatch={`${id}hatch`} clip={`${id}clip`} />,
    [drawing, view, layout, id],
  );
  const fingers = useRef(new Map<number, number>());
  const { domain, leastSpan } = drawing;

  const placeOf = ({ clientX }: { clientX: number }): number => layout.at(clientX - (box.current?.getBoundingClientRect().left ?? 0));
  useWheel(box, (event) => {
    const by = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    onView(
      by
        ? moved(view, ((view[1] - view[0]) * event.deltaX) / (layout.right - layout.left), domain)
        : zoomed(view, WHEEL_STEP ** (event.deltaY * (event.ctrlKey ? 4 : 1)), placeOf(event), domain, leastSpan),
    );
  });

  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    fingers.current.set(event.pointerId, event.clientX);
    if (fingers.current.size === 1) onPoint(placeOf(event));
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const before = fingers.current.get(event.pointerId);
    if (before === undefined) {
      onPoint(placeOf(event));
      return;
    }
    fingers.current.set(event.pointerId, event.clientX);
    const other = [...fingers.current].find(([finger]) => finger !== event.pointerId)?.[1];
    if (other !== undefined) {
      const [apart, wasApart] = [Math.abs(event.clientX - other), Math.abs(before - other)];
      if (apart > 8 && wasApart > 8) onView(zoomed(view, wasApart / apart, placeOf({ clientX: (event.clientX + other) / 2 }), domain, leastSpan));
    } else if (isWhole(view, domain)) onPoint(placeOf(event));
    else onView(moved(view, layout.at(before) - layout.at(event.clientX), domain));
  };
  const onPointerEnd = (event: PointerEvent<HTMLDivElement>): void => {
    fingers.current.delete(event.pointerId);
  };

  return (
    <div
      ref={box}
      className="size-full touch-pan-y select-none"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerEnd}
      onPointerCancel={onPointerEnd}
      onPointerLeave={onPointerEnd}
    >
      <svg aria-hidden width={width} height={height} className="block text-[12px]">
        {frame}
        {cursor ? <Pointed cursor={cursor} layout={layout} /> : null}
      </svg>
    </div>
  );
}
