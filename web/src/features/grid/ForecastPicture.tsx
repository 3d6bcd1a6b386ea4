import { type KeyboardEvent, type ReactElement, Suspense, lazy, useMemo } from 'react';

import { readPalette } from '@/charts/palette';
import type { Cursor } from '@/charts/types';
import { Skeleton } from '@/components/ui/skeleton';
import { type Scene, forecastOption, lineNames } from './forecastOption';
import { type Interval, doubtsInWords, middleOf } from './intervals';
import { useThemeName } from '@/lib/theme';
import { cn } from '@/lib/cn';
import { formatQuantity } from '@/lib/numbers';
import { intervalsIn } from '@/lib/step';
import { DAY_MS, formatShortDay } from '@/lib/time';

const Chart = lazy(() => import('@/charts/Chart'));

const ARROWS: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
const PAGE_HOURS = 6;

interface PictureProps {
  scene: Scene;
  selected: number;
  onSelect: (index: number) => void;
}

function spoken(interval: Interval, { format }: Scene): string {
  const { step, timeZone, unit, digits } = format;
  const values = (['forecast', 'operator', 'actual', 'naive'] as const)
    .filter((name) => interval[name] !== null)
    .map((name) => `${lineNames(format)[name]} ${formatQuantity(interval[name], unit, digits)}`);
  const doubts = interval.doubts.length > 0 ? [`doubted: ${doubtsInWords(interval.doubts)}`] : [];
  const when = step.ms === DAY_MS ? interval.label : `${formatShortDay(interval.start, timeZone)}, ${interval.label}`;
  return [when, ...values, ...doubts].join(', ');
}

/** The chart of a day; arrow keys and pointer choose an interval. */
export function ForecastPicture({ scene, selected, onSelect }: PictureProps): ReactElement {
  const theme = useThemeName();
  // oxlint-disable-next-line react/exhaustive-deps -- the tokens behind the palette change with the theme
  const palette = useMemo(() => readPalette(), [theme]);
  const option = useMemo(() => forecastOption(scene, palette), [scene, palette]);
  const { intervals, format } = scene;
  const interval = intervals[selected];

  const cursor = useMemo((): Cursor | null => {
    if (!interval) return null;
    const dots = [
      { y: interval.forecast, color: palette.loadForecast },
      { y: interval.operator, color: palette.rival },
      { y: interval.actual, color: palette.load },
    ];
    return {
      x: middleOf(interval),
      lineColor: palette.muted,
      edgeColor: palette.surface,
      points: dots.flatMap(({ y, color }) => (y === null ? [] : [{ y, color }])),
    };
  }, [interval, palette]);

  const choose = (index: number): void => onSelect(Math.max(0, Math.min(intervals.length - 1, index)));
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = intervalsIn(PAGE_HOURS, format.step);
    const moves: Record<string, number> = { ...ARROWS, PageUp: page, PageDown: -page };
    const ends: Record<string, number> = { Home: 0, End: intervals.length - 1 };
    const move = moves[event.key];
    const target = move === undefined ? ends[event.key] : selected + move;
    if (target === undefined) return;
    event.preventDefault();
    choose(target);
  };
  const onPoint = (x: number): void => {
    const distance = (candidate: Interval): number => Math.abs(middleOf(candidate) - x);
    const nearest = intervals.reduce((best, candidate, index) => (distance(candidate) < distance(intervals[best] ?? candidate) ? index : best), 0);
    const found = intervals[nearest];
    if (found && distance(found) <= found.end - found.start) choose(nearest);
  };

  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={`Chart of the day; arrow keys choose ${format.step.one}`}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={intervals.length - 1}
      aria-valuenow={selected}
      aria-valuetext={interval ? spoken(interval, scene) : ''}
      onKeyDown={onKeyDown}
      className={cn('rounded-control h-64 w-full sm:h-80', scene.isSimulated && 'hatched')}
    >
      <Suspense fallback={<Skeleton className="size-full" />}>
        <Chart option={option} cursor={cursor} onPoint={onPoint} />
      </Suspense>
    </div>
  );
}
