import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';

import type { DeviceInsightsAnswer, Use } from '@/client';
import { Card } from '@/components/ui/card';
import { Fold } from '@/components/ui/fold';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { Words } from '@/components/ui/words';
import { judgedInWords, oddInWords } from '@/lib/odd';
import { formatNumber } from '@/lib/numbers';
import { HOUR_MS, formatClock, formatInstant, formatShortDay, localDay, shiftDay } from '@/lib/time';
import { formatEnergy, formatPower } from '@/lib/usage';

import { insightsQuery, usesQuery } from './queries';

const DAYS_OF_USES = 28;
const MOST_SHOWN = 50;
const NAMES: Record<string, string> = { oddities: 'What is odd', standby: 'Standby', peaks: 'Highest', habits: 'Habits', impact: 'What it adds to the mains', uses: 'Uses' };

function Standby({ standby }: { standby: NonNullable<DeviceInsightsAnswer['standby']> }): ReactElement {
  const { power_w, low_w, high_w, kwh_per_year, n_nights } = standby;
  return (
    <>
      {formatPower(power_w)} at night, {formatEnergy(kwh_per_year)} in a year
      <span className="text-muted block">
        Between {formatPower(low_w)} and {formatPower(high_w)} with 95{'\u00a0'}% probability, from {n_nights} nights.
      </span>
    </>
  );
}

function Impact({ impact }: { impact: NonNullable<DeviceInsightsAnswer['impact']> }): ReactElement {
  const { step_w, low_w, high_w, is_sure, n_on, n_off } = impact;
  return (
    <>
      {formatPower(step_w)}
      <span className="text-muted block">
        Between {formatPower(low_w)} and {formatPower(high_w)} with 95{'\u00a0'}% probability, by {n_on + n_off} switches.{is_sure ? '' : ' It may as well be nothing.'}
      </span>
    </>
  );
}

function Facts({ insights, timeZone }: { insights: DeviceInsightsAnswer; timeZone: string }): ReactElement {
  const { uses, standby, impact, peaks } = insights;
  const [peak] = peaks ?? [];
  return (
    <dl className="text-small grid gap-2 sm:grid-cols-[auto_minmax(0,1fr)] sm:gap-x-6">
      {uses.n_uses > 0 || uses.n_before > 0 ? (
        <>
          <dt className="text-muted">Uses</dt>
          <dd>
            {uses.n_uses} {uses.energy_kwh === null ? '' : `with ${formatEnergy(uses.energy_kwh)}`}
            <span className="text-muted block">{uses.n_before} in as many days before.</span>
          </dd>
        </>
      ) : null}
      {standby ? (
        <>
          <dt className="text-muted">Standby</dt>
          <dd>
            <Standby standby={standby} />
          </dd>
        </>
      ) : null}
      {peak ? (
        <>
          <dt className="text-muted">Highest</dt>
          <dd>
            {formatPower(peak.power_w)}, {formatInstant(Date.parse(peak.start), timeZone)}
          </dd>
        </>
      ) : null}
      {impact ? (
        <>
          <dt className="text-muted">Adds to the mains</dt>
          <dd>
            <Impact impact={impact} />
          </dd>
        </>
      ) : null}
    </dl>
  );
}

interface CardProps {
  home: string;
  device: string;
  timeZone: string;
}

/** What is worth knowing of the last four weeks, and why the rest is not known. */
export function InsightsCard({ home, device, timeZone }: CardProps): ReactElement {
  const { data, error, refetch } = useQuery(insightsQuery(home, device));
  const odd = data ? oddInWords(data, timeZone) : [];
  return (
    <Card title="Insights" note={data ? `${formatShortDay(Date.parse(data.start), timeZone)} to ${formatShortDay(Date.parse(data.end), timeZone)}` : undefined}>
      {error && !data ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : null}
      {data ? (
        <div className="grid gap-4">
          <Facts insights={data} timeZone={timeZone} />
          {data.oddities ? (
            <section aria-label="What is odd">
              <h3 className="font-semibold">What is odd</h3>
              <p className="text-small text-muted">{judgedInWords(data.oddities, data.known_until, timeZone)}</p>
              {odd.length === 0 ? <p className="text-small mt-1">Nothing: these {data.oddities.n_runs === null ? 'hours' : 'runs'} were like the weeks before.</p> : null}
              <ul className="text-small">
                {odd.slice(0, MOST_SHOWN).map(({ key, when, what, evidence }) => (
                  <li key={key} className="border-line border-b py-2 last:border-b-0">
                    <p className="font-medium">{when}</p>
                    <p>{what}</p>
                    <p className="text-muted">{evidence}</p>
                  </li>
                ))}
              </ul>
            </section>
          ) : null}
          {data.unknown.length > 0 ? (
            <Fold title="What is not known, and what would help">
              <ul className="mt-1 list-disc pl-4">
                {data.unknown.map(({ insight, problem, remedy }) => (
                  <li key={insight}>
                    <Words>{`${NAMES[insight] ?? insight}: ${problem}. ${remedy}`}</Words>
                  </li>
                ))}
              </ul>
            </Fold>
          ) : null}
        </div>
      ) : error ? null : (
        <div role="status" aria-label="Loading the insights">
          <Skeleton className="h-40 w-full" />
        </div>
      )}
    </Card>
  );
}

/** `45 min`, `2 h 10 min`. */
function formatDuration(ms: number): string {
  const minutes = Math.round((60 * ms) / HOUR_MS);
  if (minutes < 90) return `${minutes}\u00a0min`;
  return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

function UseRow({ use: { start, end, energy_kwh }, timeZone }: { use: Use; timeZone: string }): ReactElement {
  const [from, to] = [Date.parse(start), Date.parse(end)];
  return (
    <tr>
      <RowHead>
        <span className="whitespace-nowrap">{formatShortDay(from, timeZone)},</span>{' '}
        <span className="whitespace-nowrap">
          {formatClock(from, timeZone)}–{formatClock(to, timeZone)}
        </span>
      </RowHead>
      <Value>{formatDuration(to - from)}</Value>
      <Value>{formatNumber(energy_kwh, 2)}</Value>
    </tr>
  );
}

/** When it was used, newest first. */
export function UsesCard({ home, device, timeZone, now }: CardProps & { now: number }): ReactElement | null {
  const today = localDay(now, timeZone);
  const { data, error, refetch } = useQuery(usesQuery(home, device, shiftDay(today, -DAYS_OF_USES), today));
  if (error && !data) {
    return (
      <Card title="Uses">
        <ProblemNotice error={error} onRetry={() => void refetch()} />
      </Card>
    );
  }
  if (!data) return null;
  const newest = data.events.toReversed();
  return (
    <Card title="Uses" note={`of the last ${DAYS_OF_USES} days${data.next === null ? '' : `, the first ${data.events.length}`}`}>
      {newest.length === 0 ? (
        <p className="text-small text-muted">None are kept. They come from a list of uses (watthour import), or from a switch that tells when it is on.</p>
      ) : (
        <Table aria-label="Each use" boxClassName={newest.length > 10 ? 'max-h-96 border-line border-b' : ''}>
          <thead>
            <tr>
              <Head className="bg-surface sticky top-0 text-left">When</Head>
              <Head className="bg-surface sticky top-0">For</Head>
              <Head unit="kWh" className="bg-surface sticky top-0">
                Energy
              </Head>
            </tr>
          </thead>
          <tbody>
            {newest.map((use) => (
              <UseRow key={use.start} use={use} timeZone={timeZone} />
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}
