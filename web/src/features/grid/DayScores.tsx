import type { ReactElement } from 'react';

import type { DayScore } from '@/client';
import { digitsFor, formatNumber, formatQuantity } from '@/lib/numbers';
import { formatDay } from '@/lib/time';

interface DayScoresProps {
  rows: readonly DayScore[];
  day: string;
  unit: string;
}

/** How far off each forecast of the day was; the bar is the error, so short is good. */
export function DayScores({ rows, day, unit }: DayScoresProps): ReactElement {
  const worst = Math.max(...rows.map(({ mae }) => mae));
  const digits = digitsFor(rows.map(({ mae }) => mae));
  return (
    <div className="border-line mt-4 border-t pt-3">
      <h3 className="text-small text-muted mb-2 font-medium">{`Mean error on ${formatDay(day)}`}</h3>
      <dl className="text-small grid gap-1.5">
        {rows.map(({ model, label, mae, mape_percent }) => (
          <div key={model} className="grid grid-cols-[1fr_auto] items-center gap-3 sm:grid-cols-[10rem_1fr_13rem]">
            <dt>{label}</dt>
            <div aria-hidden className="bg-sunken h-2 overflow-hidden rounded-full max-sm:order-last max-sm:col-span-2">
              <div
                className={model === 'ours' ? 'bg-load-forecast h-full rounded-full' : 'bg-naive h-full rounded-full'}
                style={{ width: `${worst > 0 ? (100 * mae) / worst : 0}%` }}
              />
            </div>
            <dd className="text-right whitespace-nowrap">
              <span className="font-semibold">{formatQuantity(mae, unit, digits)}</span>
              {mape_percent === null ? null : <span className="text-muted"> ({formatNumber(mape_percent, 2)}&nbsp;%)</span>}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
