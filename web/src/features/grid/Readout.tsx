import type { ReactElement } from 'react';

import { type Format, type Interval, doubtsInWords } from './intervals';
import { lineNames } from './forecastOption';
import { cn } from '@/lib/cn';
import { formatNumber, formatQuantity } from '@/lib/numbers';
import { DAY_MS, formatShortDay } from '@/lib/time';

type Swatch = 'forecast' | 'band' | 'operator' | 'actual' | 'naive';

const STROKES: Record<Exclude<Swatch, 'band'>, { className: string; width: number; dashes?: string }> = {
  forecast: { className: 'stroke-load-forecast', width: 3 },
  operator: { className: 'stroke-rival', width: 2, dashes: '5 3' },
  actual: { className: 'stroke-load', width: 3 },
  naive: { className: 'stroke-naive', width: 2, dashes: '1.5 3' },
};

function Key({ swatch, isHatched }: { swatch: Swatch; isHatched: boolean }): ReactElement {
  if (swatch === 'band') return <span aria-hidden className={cn('bg-load-band h-3 w-5 rounded-sm', isHatched && 'hatched')} />;
  const { className, width, dashes } = STROKES[swatch];
  return (
    <svg aria-hidden viewBox="0 0 20 12" className="h-3 w-5 shrink-0">
      <line x1="0" x2="20" y1="6" y2="6" strokeWidth={width} strokeDasharray={dashes} className={className} />
    </svg>
  );
}

interface ReadoutProps {
  interval: Interval | undefined;
  format: Format;
  isSimulated: boolean;
  /** Whether any interval of the day is doubted: its line then has its place from the start. */
  hasDoubts: boolean;
}

/** Key and values of the chosen interval in one; its size never changes with the interval. */
export function Readout({ interval, format, isSimulated, hasDoubts }: ReadoutProps): ReactElement {
  const { step, timeZone, unit, digits, rivals } = format;
  const names = lineNames(format);
  const { lower = null, upper = null } = interval ?? {};
  const item = (swatch: Exclude<Swatch, 'band'>) => ({ swatch, name: names[swatch], value: formatQuantity(interval?.[swatch], unit, digits) });
  const band = lower === null || upper === null ? '–' : `${formatNumber(lower, digits)}–${formatQuantity(upper, unit, digits)}`;
  const items: { swatch: Swatch; name: string; value: string }[] = [
    item('forecast'),
    { swatch: 'band', name: '90 % interval', value: band },
    item('actual'),
    ...(rivals.length > 0 ? [item('operator')] : []),
    item('naive'),
  ];
  const day = interval && step.ms !== DAY_MS ? formatShortDay(interval.start, timeZone) : step.head;
  return (
    <div className="text-small mb-2">
      <dl className={cn('grid grid-cols-2 gap-x-4 gap-y-1.5', rivals.length > 0 ? 'sm:grid-cols-6' : 'sm:grid-cols-5')}>
        <div className="min-w-0">
          <dt className="text-muted">{day}</dt>
          <dd className="font-semibold">{interval ? interval.label : '–'}</dd>
        </div>
        {items.map(({ swatch, name, value }) => (
          <div key={name} className="min-w-0">
            <dt className="text-muted flex items-center gap-1.5">
              <Key swatch={swatch} isHatched={isSimulated} />
              {name}
            </dt>
            <dd className="font-medium whitespace-nowrap">{value}</dd>
          </div>
        ))}
      </dl>
      {hasDoubts ? (
        <p className="text-warn mt-1 min-h-5 font-medium">{interval && interval.doubts.length > 0 ? `◇ ${doubtsInWords(interval.doubts)}` : ''}</p>
      ) : null}
    </div>
  );
}
