/** A chart one can walk through: arrow keys and the pointer choose a point, buttons, keys, wheel and fingers zoom. */
import { Maximize2, ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, type ReactElement, type ReactNode, useMemo, useState } from 'react';

import Chart from '@/charts/Chart';
import type { Cursor, Drawing, View } from '@/charts/types';
import { fitted, isWhole, showing, zoomed } from '@/charts/view';
import { Button } from '@/components/ui/button';
import { cn } from '@/lib/cn';

const ARROWS: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
const NEARER = 0.6;

interface PictureProps {
  label: string;
  drawing: Drawing;
  /** Where each point that can be chosen stands, from left to right. */
  places: readonly number[];
  selected: number;
  onSelect: (index: number) => void;
  /** The chosen point in words. */
  spoken: string;
  dots: Cursor['points'];
  /** How many points a page key moves by. */
  page?: number;
  /** Zooming makes no sense where everything is in sight. */
  canZoom?: boolean;
  /** Stands below at the left, beside the buttons that zoom. */
  controls?: ReactNode;
  /** In pixels, where a class does not say it. */
  height?: number;
  className?: string;
}

function nearest(places: readonly number[], x: number): number {
  return places.reduce((best, place, index) => (Math.abs(place - x) < Math.abs((places[best] ?? Infinity) - x) ? index : best), 0);
}

export function Picture({ label, drawing, places, selected, onSelect, spoken, dots, page = 6, canZoom = true, controls, height, className }: PictureProps): ReactElement {
  const { domain, leastSpan } = drawing;
  const [chosen, setView] = useState<{ domain: View; view: View } | null>(null);
  // Another picture is seen whole; the same one that only grew stays where it is.
  const isSame = chosen !== null && chosen.domain[0] === domain[0] && chosen.domain[1] === domain[1];
  const view = isSame ? fitted(chosen.view, domain, leastSpan) : domain;
  const see = (wanted: View): void => setView({ domain, view: wanted });
  const at = places[selected];
  const cursor = useMemo(() => (at === undefined ? null : { x: at, points: dots }), [at, dots]);
  const zoom = (factor: number): void => {
    const [from, to] = view;
    const around = at !== undefined && at >= from && at <= to ? at : (from + to) / 2;
    see(zoomed(view, factor, around, domain, leastSpan));
  };

  const choose = (index: number): void => {
    const inside = Math.max(0, Math.min(places.length - 1, index));
    onSelect(inside);
    const place = places[inside];
    if (place !== undefined && !isWhole(view, domain)) see(showing(view, place, domain));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const factor = canZoom ? { '+': NEARER, '=': NEARER, '-': 1 / NEARER }[event.key] : undefined;
    const moves: Record<string, number> = { ...ARROWS, PageUp: page, PageDown: -page };
    const ends: Record<string, number> = { Home: 0, End: places.length - 1 };
    const move = moves[event.key];
    const target = move === undefined ? ends[event.key] : selected + move;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (factor !== undefined) zoom(factor);
    else if (event.key === '0' && canZoom) see(domain);
    else if (target !== undefined) choose(target);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <div
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, places.length - 1)}
        aria-valuenow={selected}
        aria-valuetext={spoken}
        onKeyDown={onKeyDown}
        className={cn('rounded-control w-full', className)}
        style={height === undefined ? undefined : { height }}
      >
        <Chart drawing={drawing} view={view} cursor={cursor} onPoint={(x) => onSelect(nearest(places, x))} onView={canZoom ? see : () => {}} />
      </div>
      {canZoom ? (
        <div className="mt-2 flex flex-wrap items-center justify-between gap-y-1">
          <div>{controls}</div>
          <div className="flex sm:gap-1" role="group" aria-label="Zoom">
            <Button square look="quiet" aria-label="Zoom in" title="Zoom in (+)" aria-disabled={view[1] - view[0] <= leastSpan} onClick={() => zoom(NEARER)}>
              <ZoomIn aria-hidden className="size-5" />
            </Button>
            <Button square look="quiet" aria-label="Zoom out" title="Zoom out (−)" aria-disabled={isWhole(view, domain)} onClick={() => zoom(1 / NEARER)}>
              <ZoomOut aria-hidden className="size-5" />
            </Button>
            <Button square look="quiet" aria-label="Show everything" title="Show everything (0)" aria-disabled={isWhole(view, domain)} onClick={() => see(domain)}>
              <Maximize2 aria-hidden className="size-5" />
            </Button>
          </div>
        </div>
      ) : null}
    </>
  );
}
