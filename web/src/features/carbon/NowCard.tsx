import { Minus, TrendingDown, TrendingUp } from 'lucide-react';
import type { ReactElement } from 'react';

import type { CarbonCurrent, CarbonForecast, CarbonTrend } from '@/client';
import { Card } from '@/components/ui/card';
import { digitsFor, formatNumber, formatQuantity } from '@/lib/numbers';
import { formatAge, formatInstant, formatSpan } from '@/lib/time';

const WORDS = {
  rising: { icon: TrendingUp, words: 'Getting dirtier' },
  falling: { icon: TrendingDown, words: 'Getting cleaner' },
  steady: { icon: Minus, words: 'Steady' },
};

const percent = (value: number): string => `${formatNumber(Math.abs(value))}\u00a0%`;

function Trend({ trend }: { trend: CarbonTrend }): ReactElement | null {
  if (trend.trend === null) return <p className="text-small text-muted mt-2">The next hours are not all forecast.</p>;
  const { icon: Icon, words } = WORDS[trend.trend];
  const { change_percent, against_usual_percent, hours } = trend;
  const change = change_percent === null || trend.trend === 'steady' ? '' : `: ${percent(change_percent)} ${change_percent > 0 ? 'more' : 'less'} in the next ${hours} hours`;
  const beside =
    against_usual_percent === null
      ? ''
      : Math.round(against_usual_percent) === 0
        ? ' As is usual at that time.'
        : ` ${percent(against_usual_percent)} ${against_usual_percent > 0 ? 'above' : 'below'} what is usual at that time.`;
  return (
    <p className="mt-2 flex gap-2 font-medium" title={trend.definition}>
      <Icon aria-hidden className="mt-0.5 size-5 shrink-0" />
      <span>
        {words}
        {change}.{beside}
      </span>
    </p>
  );
}

interface NowCardProps {
  forecast: CarbonForecast;
  trend: CarbonTrend | undefined;
  current: CarbonCurrent | undefined;
  now: number;
}

/** What a kWh stands for now: forecast for this hour, and what was measured last, each with its kind and its age. */
export function NowCard({ forecast, trend, current, now }: NowCardProps): ReactElement {
  const { series, time_zone: timeZone, points, archive } = forecast;
  const [first] = points;
  const digits = digitsFor([first?.value]);
  const last = current?.series.find(({ channel }) => channel === series.channel);
  const start = Date.parse(first?.time ?? '9999');
  const span = first ? formatSpan(start, start + series.resolution_seconds * 1000, timeZone) : '';
  return (
    <Card title={archive ? 'After the last reading' : 'Now'} note={`${series.words}, ${series.source === 'mix' ? 'from the mix of fuels' : `by ${series.source}`}`}>
      <p className="text-figure font-semibold" data-figure="now">
        {formatQuantity(first?.value, series.unit, digits)}
      </p>
      <p className="text-small text-muted">
        forecast for {span}
        {first && first.lower !== null && first.upper !== null ? `; with 90\u00a0% probability ${formatNumber(first.lower, digits)} to ${formatQuantity(first.upper, series.unit, digits)}` : ''}
      </p>
      {trend ? <Trend trend={trend} /> : null}
      {last ? (
        <p className="text-small text-muted mt-2">
          {last.value === null || last.time === null
            ? 'No value of the last week is known.'
            : `Last known: ${formatQuantity(last.value, last.unit, digits)}, ${formatInstant(Date.parse(last.time), timeZone, now)}${last.age_hours === null ? '' : `, ${formatAge(last.age_hours)} ago`}.`}
        </p>
      ) : null}
      {current?.mix ? (
        <ul aria-label="Mix of fuels" className="text-small mt-3 flex flex-wrap gap-x-4 gap-y-1">
          {current.mix.fuels
            .filter(({ share }) => share >= 0.005)
            .map(({ fuel, share }) => (
              <li key={fuel}>
                <span className="text-muted">{fuel}</span> {formatNumber(100 * share)}&nbsp;%
              </li>
            ))}
        </ul>
      ) : null}
    </Card>
  );
}
