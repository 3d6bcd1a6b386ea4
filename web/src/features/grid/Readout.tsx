import type { ReactElement } from 'react';

import { type Hour, doubtsInWords } from './hours';
import { LINE_NAMES } from './forecastOption';
import { cn } from '@/lib/cn';
import { formatNumber, formatQuantity } from '@/lib/numbers';
import { formatShortDay } from '@/lib/time';

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
  hour: Hour | undefined;
  timeZone: string;
  unit: string;
  isSimulated: boolean;
  /** Whether any hour of the day is doubted: its line then has its place from the start. */
  hasDoubts: boolean;
}

/** Key and values of the chosen hour in one; its size never changes with the hour. */
export function Readout({ hour, timeZone, unit, isSimulated, hasDoubts }: ReadoutProps): ReactElement {
  const interval =
    hour && hour.lower !== null && hour.upper !== null ? `${formatNumber(hour.lower)}–${formatQuantity(hour.upper, unit)}` : '–';
  const items: { swatch: Swatch; name: string; value: string }[] = [
    { swatch: 'forecast', name: LINE_NAMES.forecast, value: formatQuantity(hour?.forecast, unit) },
    { swatch: 'band', name: '90 % sure', value: interval },
    { swatch: 'actual', name: LINE_NAMES.actual, value: formatQuantity(hour?.actual, unit) },
    { swatch: 'operator', name: LINE_NAMES.operator, value: formatQuantity(hour?.operator, unit) },
    { swatch: 'naive', name: LINE_NAMES.naive, value: formatQuantity(hour?.naive, unit) },
  ];
  return (
    <div className="text-small mb-2">
      <dl className="grid grid-cols-2 gap-x-4 gap-y-1.5 sm:grid-cols-6">
        <div className="min-w-0">
          <dt className="text-muted">{hour ? formatShortDay(hour.start, timeZone) : 'Hour'}</dt>
          <dd className="font-semibold">{hour ? hour.label : '–'}</dd>
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
        <p className="text-warn mt-1 min-h-5 font-medium">{hour && hour.doubts.length > 0 ? `◇ ${doubtsInWords(hour.doubts)}` : ''}</p>
      ) : null}
    </div>
  );
}
