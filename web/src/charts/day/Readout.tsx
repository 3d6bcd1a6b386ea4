import type { ReactElement } from 'react';

import type { Colour } from '@/charts/types';

import { type LineName, lineNames, lookOf } from './forecastDrawing';
import { type Format, type Interval, doubtsInWords, shownQuantity, shownRange, shownValue } from './intervals';
import { cn } from '@/lib/cn';
import { formatQuantity } from '@/lib/numbers';
import { DAY_MS, formatShortDay } from '@/lib/time';

type Swatch = LineName | 'band' | 'temperature';

const STROKES: Partial<Record<Colour, string>> = {
  'load-forecast': 'stroke-load-forecast',
  load: 'stroke-load',
  'carbon-forecast': 'stroke-carbon-forecast',
  carbon: 'stroke-carbon',
  rival: 'stroke-rival',
  naive: 'stroke-naive',
  muted: 'stroke-muted',
};

interface KeyProps {
  swatch: Swatch;
  format: Format;
  isHatched: boolean;
}

function Key({ swatch, format, isHatched }: KeyProps): ReactElement {
  if (swatch === 'band') return <span aria-hidden className={cn(format.quantity === 'carbon' ? 'bg-carbon-band' : 'bg-load-band', 'h-3 w-5 rounded-sm', isHatched && 'hatched')} />;
  const { colour, width, dashes } = swatch === 'temperature' ? { colour: 'muted' as const, width: 1.75, dashes: undefined } : lookOf(swatch, format);
  return (
    <svg aria-hidden viewBox="0 0 20 12" className="h-3 w-5 shrink-0">
      <line x1="1" x2="19" y1="6" y2="6" strokeWidth={width} strokeDasharray={dashes} strokeLinecap="round" className={STROKES[colour]} />
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
  const { step, timeZone, shownIn, rivals, hasDayAhead, hasTemperature } = format;
  const names = lineNames(format);
  const { lower = null, upper = null } = interval ?? {};
  const item = (swatch: LineName) => ({ swatch, name: names[swatch], value: shownQuantity(interval?.[swatch], shownIn) });
  const range = shownRange(lower, upper, (value) => shownValue(value, shownIn));
  const band = lower === null || upper === null ? range : `${range}\u00a0${shownIn.unit}`;
  const forecast = format.isMeasuredAlone ? [] : [item('forecast'), { swatch: 'band' as const, name: '90 % interval', value: band }];
  const items: { swatch: Swatch; name: string; value: string }[] = [
    ...forecast,
    item('actual'),
    ...(hasDayAhead ? [item('dayAhead')] : []),
    ...(rivals.length > 0 ? [item('operator')] : []),
    ...(format.isMeasuredAlone ? [] : [item('naive')]),
    ...(hasTemperature ? [{ swatch: 'temperature' as const, name: 'Temperature', value: formatQuantity(interval?.temperature, '°C', 1) }] : []),
  ];
  const day = interval && step.ms !== DAY_MS ? formatShortDay(interval.start, timeZone) : step.head;
  return (
    <div className="text-small mb-2">
      <dl className="grid grid-cols-2 gap-x-4 gap-y-1.5 sm:grid-cols-[repeat(auto-fit,minmax(6.75rem,1fr))]">
        <div className="min-w-0">
          <dt className="text-muted">{day}</dt>
          <dd className="font-semibold">{interval ? interval.label : '–'}</dd>
        </div>
        {items.map(({ swatch, name, value }) => (
          <div key={name} className="min-w-0">
            <dt className="text-muted flex items-center gap-1.5">
              <Key swatch={swatch} format={format} isHatched={isSimulated} />
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
