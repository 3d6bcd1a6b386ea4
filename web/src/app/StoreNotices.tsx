import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';

import type { FillState, Span } from '@/client';
import { Notice } from '@/components/ui/notice';
import { statusQuery } from '@/lib/status';

const TITLES = {
  locked: 'Nothing new can be stored: the store is locked',
  full: 'Nothing new can be stored: no space is left',
  'read-only': 'Nothing new can be stored: the store is read-only',
} as const;

const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0, roundingMode: 'floor' });

function days({ start, end }: Span): string {
  return `${start.slice(0, 10)} to ${end.slice(0, 10)}`;
}

function Past({ fill }: { fill: FillState }): ReactElement {
  return (
    <li>
      {fill.source.replace(':', ' · ')}: {percent.format(fill.share)} imported; missing {fill.holes.map(days).join(', ')}
    </li>
  );
}

/** Says when nothing new can be kept, and what of the past is still missing. */
export function StoreNotices(): ReactElement | null {
  const { data } = useQuery(statusQuery);
  if (!data) return null;
  const { store, fill } = data;
  const lacking = fill.filter(({ holes }) => holes.length > 0);
  if (store.state === 'ok' && lacking.length === 0) return null;
  return (
    <div className="mx-auto grid max-w-6xl gap-3 px-4 pt-5 sm:px-6">
      {store.state === 'ok' ? null : (
        <Notice look="bad" role="alert" title={TITLES[store.state]}>
          {store.problem} {store.remedy}
        </Notice>
      )}
      {lacking.length > 0 ? (
        <Notice role="status" title="Past data are being fetched">
          <details>
            <summary className="cursor-pointer py-2">The newest data are fetched first. After a stop, this continues automatically.</summary>
            <ul className="list-disc pl-4">
              {lacking.map((each) => (
                <Past key={each.source} fill={each} />
              ))}
            </ul>
          </details>
        </Notice>
      ) : null}
    </div>
  );
}
