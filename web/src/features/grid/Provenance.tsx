import type { ReactElement } from 'react';

import type { GridForecast, Member } from '@/client';
import { Badge } from '@/components/ui/badge';
import { formatInstant } from '@/lib/time';

/** The models that were combined, in a sentence: "Made of 70 % day process and 30 % gradient boosting." */
function madeOf(members: Member[]): string {
  const parts = members.map(({ label, share }) => `${Math.round(100 * share)} % ${label.charAt(0).toLowerCase()}${label.slice(1)}`);
  const last = parts.pop();
  return `Made of ${parts.length > 0 ? `${parts.join(', ')} and ` : ''}${last}.`;
}

/** What the forecast stands on: when it was made, what was known, by which model; on the days that run, the newest one. */
export function Provenance({ forecast, now }: { forecast: GridForecast; now: number }): ReactElement {
  const { region, newest, day_ahead, day } = forecast;
  const { issued_at, known_until, model_version, model_label, made_of } = newest ?? forecast;
  const written = (time: string): string => formatInstant(Date.parse(time), region.time_zone, now);
  const before = day_ahead.find((each) => each.day === day);
  const facts: { name: string; value: string; hint?: string }[] = [
    { name: 'Issued', value: written(issued_at) },
    { name: 'Readings known until', value: known_until ? written(known_until) : 'none' },
    { name: 'Model', value: model_label, hint: model_version },
    ...(before ? [{ name: 'Day-ahead issued', value: written(before.issued_at) }] : []),
  ];
  const reconstructed = forecast.reconstructed && newest === null;
  return (
    <>
      <dl className="text-small flex flex-wrap gap-x-6 gap-y-1">
        {facts.map(({ name, value, hint }) => (
          <div key={name} className="flex min-w-0 flex-wrap gap-x-1.5">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 break-words" title={hint}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      {made_of.length > 0 ? <p className="text-small mt-1.5">{madeOf(made_of)}</p> : null}
      {reconstructed ? (
        <p className="text-small text-muted mt-1.5">
          <Badge look="accent">Reconstructed</Badge> This forecast was made afterwards, using only what was known at its time of issue.
        </p>
      ) : null}
    </>
  );
}
