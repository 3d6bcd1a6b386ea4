import type { ReactElement } from 'react';

import type { DayScore } from '@/client';
import { modelName } from './names';
import { formatDay } from '@/lib/time';
import { formatNumber, formatQuantity } from '@/lib/numbers';

/** How far off each forecast of the day was; the bar is the error, so short is good. */
export function DayScores({ rows, day }: { rows: readonly DayScore[]; day: string }): ReactElement {
  const worst = Math.max(...rows.map(({ mape_percent }) => mape_percent));
  const label = `Mean error on ${formatDay(day)}`;
  return (
    <div className="border-line mt-4 border-t pt-3">
      <h3 className="text-small text-muted mb-2 font-medium">{label}</h3>
      <dl className="text-small grid gap-1.5">
        {rows.map(({ model, mae_mwh, mape_percent }) => (
          <div key={model} className="grid grid-cols-[1fr_auto] items-center gap-3 sm:grid-cols-[10rem_1fr_13rem]">
            <dt>{modelName(model)}</dt>
            <div aria-hidden className="bg-sunken h-2 overflow-hidden rounded-full max-sm:order-last max-sm:col-span-2">
              <div
                className={model === 'ours' ? 'bg-load-forecast h-full rounded-full' : 'bg-naive h-full rounded-full'}
                style={{ width: `${worst > 0 ? (100 * mape_percent) / worst : 0}%` }}
              />
            </div>
            <dd className="text-right whitespace-nowrap">
              <span className="font-semibold">{formatNumber(mape_percent, 2)}&nbsp;%</span>
              <span className="text-muted"> ({formatQuantity(mae_mwh, 'MWh')})</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
