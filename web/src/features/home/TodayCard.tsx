import type { ReactElement } from 'react';

import { Card } from '@/components/ui/card';
import { formatClock } from '@/lib/time';
import { type Usage, formatEnergy, mainsOf } from '@/lib/usage';

const WHOLE = 0.995;
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0, roundingMode: 'floor' });

interface Span {
  name: string;
  kwh: number;
  look: string;
}

/** Lengths to compare at a glance; the same figures stand beside them. */
function Bars({ spans }: { spans: readonly Span[] }): ReactElement | null {
  const most = Math.max(...spans.map(({ kwh }) => kwh));
  // Where energy is fed in a length would not say which way it went.
  if (spans.some(({ kwh }) => kwh < 0) || most <= 0) return null;
  return (
    <div aria-hidden className="mt-3 grid gap-1.5">
      {spans.map(({ name, kwh, look }) => (
        <div key={name} className={`h-2.5 rounded-sm ${look}`} style={{ width: `${Math.max(1, (100 * kwh) / most)}%` }} />
      ))}
    </div>
  );
}

/** `0.70 kWh less than yesterday by 16:00`. */
function comparison(today: number, yesterday: number, clock: string): string {
  const more = today - yesterday;
  if (Math.abs(more) < 0.005) return `as much as yesterday by ${clock}`;
  return `${formatEnergy(Math.abs(more))} ${more > 0 ? 'more' : 'less'} than yesterday by ${clock}`;
}

/** What was used since midnight, beside the same hours of yesterday. */
export function TodayCard({ usage }: { usage: Usage }): ReactElement {
  const { today_kwh = null, today_until = null, yesterday_same_time_kwh: same = null, yesterday_kwh = null, known_share_today: known = null } = mainsOf(usage) ?? {};
  const clock = today_until === null ? null : formatClock(Date.parse(today_until), usage.time_zone);
  if (today_kwh === null || clock === null) {
    return (
      <Card title="Today">
        <p className="text-small text-muted">No energy of today is known yet. It is counted as intervals of the meter end.</p>
        {yesterday_kwh === null ? null : <p className="text-small mt-2">Yesterday: {formatEnergy(yesterday_kwh)}</p>}
      </Card>
    );
  }
  return (
    <Card title="Today" note={`since midnight, counted up to ${clock}`}>
      <p className="text-figure font-semibold" data-figure="today">
        {formatEnergy(today_kwh)}
      </p>
      {today_kwh < 0 ? <p className="text-small text-muted">More was fed in than drawn.</p> : null}
      <p className="text-small text-muted min-h-5">{same === null ? 'Yesterday by this time is not known in full.' : comparison(today_kwh, same, clock)}</p>
      {known !== null && known < WHOLE ? (
        <p className="text-small text-warn mt-1 font-medium">There are readings for {percent.format(known)} of today so far; the rest is missing and not counted.</p>
      ) : null}
      <Bars
        spans={[
          { name: 'today', kwh: today_kwh, look: 'bg-load' },
          ...(same === null ? [] : [{ name: 'same', kwh: same, look: 'bg-naive' }]),
          ...(yesterday_kwh === null ? [] : [{ name: 'yesterday', kwh: yesterday_kwh, look: 'bg-line' }]),
        ]}
      />
      <dl className="text-small mt-3 grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-1">
        <dt className="text-muted flex items-center gap-2">
          <span aria-hidden className="bg-load size-2.5 rounded-sm" /> Today so far
        </dt>
        <dd className="text-right font-medium">{formatEnergy(today_kwh)}</dd>
        <dt className="text-muted flex items-center gap-2">
          <span aria-hidden className="bg-naive size-2.5 rounded-sm" /> Yesterday by {clock}
        </dt>
        <dd className="text-right font-medium">{formatEnergy(same)}</dd>
        <dt className="text-muted flex items-center gap-2">
          <span aria-hidden className="bg-line size-2.5 rounded-sm" /> All of yesterday
        </dt>
        <dd className="text-right font-medium">{formatEnergy(yesterday_kwh)}</dd>
      </dl>
    </Card>
  );
}
