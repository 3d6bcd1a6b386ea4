import { type ReactElement, type ReactNode, useMemo } from 'react';

import { Picture } from '@/charts/Picture';
import { cn } from '@/lib/cn';
import { intervalsIn } from '@/lib/step';
import { DAY_MS, formatShortDay } from '@/lib/time';

import { type LineName, type Scene, forecastDrawing, lineNames, lookOf } from './forecastDrawing';
import { type Interval, doubtsInWords, middleOf, shownQuantity } from './intervals';
import { formatQuantity } from '@/lib/numbers';

const PAGE_HOURS = 6;
const POINTED: readonly LineName[] = ['dayAhead', 'forecast', 'operator', 'actual'];

interface PictureProps {
  scene: Scene;
  label: string;
  selected: number;
  onSelect: (index: number) => void;
  controls: ReactNode;
}

function spokenOf(interval: Interval, { format }: Scene): string {
  const { step, timeZone, shownIn } = format;
  const values = (['forecast', 'dayAhead', 'operator', 'actual', 'naive'] as const)
    .filter((name) => interval[name] !== null)
    .map((name) => `${lineNames(format)[name]} ${shownQuantity(interval[name], shownIn)}`);
  const warmth = interval.temperature === null ? [] : [`temperature ${formatQuantity(interval.temperature, '°C', 1)}`];
  const doubts = interval.doubts.length > 0 ? [`doubted: ${doubtsInWords(interval.doubts)}`] : [];
  const when = step.ms === DAY_MS ? interval.label : `${formatShortDay(interval.start, timeZone)}, ${interval.label}`;
  return [when, ...values, ...warmth, ...doubts].join(', ');
}

/** The chart of a day or a week; arrow keys and pointer choose an interval. */
export function ForecastPicture({ scene, label, selected, onSelect, controls }: PictureProps): ReactElement {
  const drawing = useMemo(() => forecastDrawing(scene), [scene]);
  const { intervals, format, isSimulated } = scene;
  const places = useMemo(() => intervals.map(middleOf), [intervals]);
  const interval = intervals[selected];
  const dots = useMemo(() => {
    if (!interval) return [];
    const onLines = POINTED.flatMap((name) => {
      const value = interval[name];
      return value === null ? [] : [{ panel: 'load', y: value / format.shownIn.divisor, colour: lookOf(name, format).colour }];
    });
    return interval.temperature === null ? onLines : [...onLines, { panel: 'temperature', y: interval.temperature, colour: 'muted' as const }];
  }, [interval, format]);
  const hasWeather = drawing.panels.length > 1;
  return (
    <Picture
      label={label}
      drawing={drawing}
      places={places}
      selected={selected}
      onSelect={onSelect}
      spoken={interval ? spokenOf(interval, scene) : ''}
      dots={dots}
      page={intervalsIn(PAGE_HOURS, format.step)}
      className={cn(hasWeather ? 'h-88 sm:h-108' : 'h-64 sm:h-80', isSimulated && 'hatched')}
      controls={controls}
    />
  );
}
