import type { ReactElement, ReactNode } from 'react';

import type { GridForecast } from '@/client';
import { Notice } from '@/components/ui/notice';
import { Words } from '@/components/ui/words';

/** What a reader must know before trusting the picture. */
export function Notices({ forecast, train }: { forecast: GridForecast; train?: ReactNode }): ReactElement | null {
  const { fallback, missing_inputs } = forecast.newest ?? forecast;
  if (!fallback && missing_inputs.length === 0) return null;
  return (
    <div className="grid gap-3">
      {fallback ? (
        <Notice look="warn" title="A simpler forecast is shown">
          <Words>{fallback}</Words>
          {train ? <div className="mt-2">{train}</div> : null}
        </Notice>
      ) : null}
      {missing_inputs.length > 0 ? (
        <Notice look="warn" title="Some input data were missing, so the band is wider">
          <ul className="list-disc pl-4">
            {missing_inputs.map((item) => (
              <li key={item}>
                <Words>{item}</Words>
              </li>
            ))}
          </ul>
        </Notice>
      ) : null}
    </div>
  );
}
