import { type KeyboardEvent, type ReactElement, Suspense, lazy, useMemo } from 'react';

import { readPalette } from '@/charts/palette';
import type { Cursor } from '@/charts/types';
import { Skeleton } from '@/components/ui/skeleton';
import { LINE_NAMES, type Scene, forecastOption } from './forecastOption';
import { type Hour, MIDDLE_MS, doubtsInWords } from './hours';
import { useThemeName } from '@/lib/theme';
import { cn } from '@/lib/cn';
import { formatQuantity } from '@/lib/numbers';
import { HOUR_MS, formatShortDay } from '@/lib/time';

const Chart = lazy(() => import('@/charts/Chart'));

const KEY_STEPS: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 6, PageDown: -6 };

interface PictureProps {
  scene: Scene;
  selected: number;
  onSelect: (index: number) => void;
}

function spoken(hour: Hour, scene: Scene): string {
  const values = (['forecast', 'operator', 'actual', 'naive'] as const)
    .filter((name) => hour[name] !== null)
    .map((name) => `${LINE_NAMES[name]} ${formatQuantity(hour[name], scene.unit)}`);
  const doubts = hour.doubts.length > 0 ? [`doubted: ${doubtsInWords(hour.doubts)}`] : [];
  return [`${formatShortDay(hour.start, scene.timeZone)}, ${hour.label}`, ...values, ...doubts].join(', ');
}

/** The chart of a day; arrow keys and pointer choose an hour. */
export function ForecastPicture({ scene, selected, onSelect }: PictureProps): ReactElement {
  const theme = useThemeName();
  // oxlint-disable-next-line react/exhaustive-deps -- the tokens behind the palette change with the theme
  const palette = useMemo(() => readPalette(), [theme]);
  const option = useMemo(() => forecastOption(scene, palette), [scene, palette]);
  const { hours } = scene;
  const hour = hours[selected];

  const cursor = useMemo((): Cursor | null => {
    if (!hour) return null;
    const dots = [
      { y: hour.forecast, color: palette.loadForecast },
      { y: hour.operator, color: palette.rival },
      { y: hour.actual, color: palette.load },
    ];
    return {
      x: hour.start + MIDDLE_MS,
      lineColor: palette.muted,
      edgeColor: palette.surface,
      points: dots.flatMap(({ y, color }) => (y === null ? [] : [{ y, color }])),
    };
  }, [hour, palette]);

  const choose = (index: number): void => onSelect(Math.max(0, Math.min(hours.length - 1, index)));
  const onKeyDown = (event: KeyboardEvent): void => {
    const ends: Record<string, number> = { Home: 0, End: hours.length - 1 };
    const step = KEY_STEPS[event.key];
    const target = step === undefined ? ends[event.key] : selected + step;
    if (target === undefined) return;
    event.preventDefault();
    choose(target);
  };
  const onPoint = (x: number): void => {
    const distance = ({ start }: Hour): number => Math.abs(start + MIDDLE_MS - x);
    const nearest = hours.reduce((best, candidate, index) => (distance(candidate) < distance(hours[best] ?? candidate) ? index : best), 0);
    const found = hours[nearest];
    if (found && distance(found) <= HOUR_MS) choose(nearest);
  };

  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Chart of the day; arrow keys choose an hour"
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={hours.length - 1}
      aria-valuenow={selected}
      aria-valuetext={hour ? spoken(hour, scene) : ''}
      onKeyDown={onKeyDown}
      className={cn('rounded-control h-64 w-full sm:h-80', scene.isSimulated && 'hatched')}
    >
      <Suspense fallback={<Skeleton className="size-full" />}>
        <Chart option={option} cursor={cursor} onPoint={onPoint} />
      </Suspense>
    </div>
  );
}
