import { useQuery } from '@tanstack/react-query';
import { ChevronDown } from 'lucide-react';
import { Collapsible } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';

import type { HomeInsightsAnswer } from '@/client';
import { Card } from '@/components/ui/card';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { Words } from '@/components/ui/words';
import { formatNumber } from '@/lib/numbers';
import { type Odd, judgedInWords, oddInWords } from '@/lib/odd';
import { formatShortDay } from '@/lib/time';
import { formatEnergy, formatPower } from '@/lib/usage';

import { insightsQuery } from './queries';

const MOST_DEVICES = 6;
const MOST_ODD = 3;
const COLUMNS = 'grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-2';
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });

type Consumer = NonNullable<HomeInsightsAnswer['consumers']>['devices'][number];

/** Why something cannot be told, and what would help. */
function Unknown({ insights, of }: { insights: HomeInsightsAnswer; of: readonly string[] }): ReactElement | null {
  const found = insights.unknown.filter(({ insight }) => of.includes(insight));
  if (found.length === 0) return null;
  return (
    <ul className="text-small text-muted grid gap-1">
      {found.map(({ insight, problem, remedy }) => (
        <li key={insight}>
          <Words>{`Not known: ${problem}. ${remedy}`}</Words>
        </li>
      ))}
    </ul>
  );
}

function More({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <Collapsible.Root className="mt-1">
      <Collapsible.Trigger className="text-small text-accent group rounded-control flex h-10 items-center gap-1 font-medium">
        <ChevronDown aria-hidden className="size-4 transition-transform group-data-[state=open]:rotate-180" />
        {name}
      </Collapsible.Trigger>
      <Collapsible.Content>{children}</Collapsible.Content>
    </Collapsible.Root>
  );
}

function ConsumerRows({ devices, most, hasShares }: { devices: readonly Consumer[]; most: number; hasShares: boolean }): ReactElement {
  return (
    <tbody>
      {devices.map(({ id, name, energy_kwh, share }) => (
        <tr key={id}>
          <RowHead className="w-full">
            <span className="break-words">{name}</span>
            <span aria-hidden className="bg-load mt-1 block h-1.5 rounded-sm" style={{ width: `${Math.max(1, (100 * energy_kwh) / most)}%` }} />
          </RowHead>
          <Value>{formatNumber(energy_kwh, 1)}</Value>
          {hasShares ? <Value>{share === null ? '–' : percent.format(share)}</Value> : null}
        </tr>
      ))}
    </tbody>
  );
}

/** What used most of the energy. */
function ConsumersCard({ insights, timeZone }: InsightProps): ReactElement {
  const { consumers } = insights;
  const devices = consumers?.devices ?? [];
  if (!consumers || devices.length === 0) {
    return (
      <Card title="Top consumers">
        {consumers ? <p className="text-small text-muted">No device is measured yet. Those that are stand here, the largest first.</p> : <Unknown insights={insights} of={['consumers']} />}
      </Card>
    );
  }
  // Where something feeds in, the mains do not tell what is used, and a part of them says nothing.
  const hasShares = consumers.other_problem === null && devices.every(({ share }) => share === null || share <= 1);
  const most = Math.max(...devices.map(({ energy_kwh }) => energy_kwh));
  const day = (instant: string): string => formatShortDay(Date.parse(instant), timeZone);
  const table = (label: string, rows: readonly Consumer[]): ReactElement => (
    <Table aria-label={label}>
      <thead>
        <tr>
          <Head className="text-left">Device</Head>
          <Head unit="kWh">Energy</Head>
          {hasShares ? <Head unit="of the home">Share</Head> : null}
        </tr>
      </thead>
      <ConsumerRows devices={rows} most={most} hasShares={hasShares} />
    </Table>
  );
  return (
    <Card title="Top consumers" note={`${day(consumers.window.start)} to ${day(consumers.window.end)}`}>
      {table('Energy of each device', devices.slice(0, MOST_DEVICES))}
      {hasShares && consumers.other_kwh !== null ? <p className="text-small text-muted mt-2">Everything else: {formatEnergy(consumers.other_kwh)}.</p> : null}
      {consumers.other_problem ? <p className="text-small text-muted mt-2">What else is used is not known: {consumers.other_problem}.</p> : null}
      {devices.length > MOST_DEVICES ? <More name={`${devices.length - MOST_DEVICES} more devices`}>{table('Energy of the other devices', devices.slice(MOST_DEVICES))}</More> : null}
    </Card>
  );
}

/** What is drawn around the clock. */
function StandbyCard({ insights }: InsightProps): ReactElement {
  const { standby } = insights;
  if (!standby) {
    return (
      <Card title="Standby">
        <Unknown insights={insights} of={['standby']} />
      </Card>
    );
  }
  const { power_w, low_w, high_w, share, kwh_per_year, n_nights, holds_cycling } = standby;
  return (
    <Card title="Standby" note={`what is always on: the least drawn at night, from ${n_nights} nights`}>
      <p className="text-figure font-semibold">{formatPower(power_w)}</p>
      <p className="text-small text-muted">
        {formatEnergy(kwh_per_year)} in a year{share === null ? '' : `, ${percent.format(share)} of the home's energy`}
      </p>
      <p className="text-small text-muted mt-2">
        Between {formatPower(low_w)} and {formatPower(high_w)} with 95{'\u00a0'}% probability.
        {holds_cycling ? ' A fridge and the like are in it with their mean.' : ''}
      </p>
    </Card>
  );
}

function OddList({ odd, label }: { odd: readonly Odd[]; label: string }): ReactElement {
  return (
    <ul className="text-small" aria-label={label}>
      {odd.map(({ key, when, what, evidence }) => (
        <li key={key} className="border-line border-b py-2 first:pt-0 last:border-b-0">
          <p className="font-medium">{when}</p>
          <p>{what}</p>
          <p className="text-muted">{evidence}</p>
        </li>
      ))}
    </ul>
  );
}

/** Hours, levels and habits unlike the weeks before. */
function OddCard({ insights, timeZone }: InsightProps): ReactElement {
  const odd = oddInWords(insights, timeZone);
  const { oddities } = insights;
  return (
    <Card title="What is odd" note={oddities ? judgedInWords(oddities, insights.known_until, timeZone) : undefined}>
      {odd.length > 0 ? (
        <>
          <OddList odd={odd.slice(0, MOST_ODD)} label="What is odd" />
          {odd.length > MOST_ODD ? (
            <More name={`${odd.length - MOST_ODD} more`}>
              <OddList odd={odd.slice(MOST_ODD)} label="More that is odd" />
            </More>
          ) : null}
        </>
      ) : oddities ? (
        <p className="text-small">Nothing: these hours were like the weeks before.</p>
      ) : null}
      <div className="mt-2 empty:hidden">
        <Unknown insights={insights} of={['oddities', 'habits']} />
      </div>
    </Card>
  );
}

interface InsightProps {
  insights: HomeInsightsAnswer;
  timeZone: string;
}

export function InsightsSkeleton(): ReactElement {
  return (
    <div role="status" aria-label="Loading what is worth knowing" className={COLUMNS}>
      {['consumers', 'standby'].map((name) => (
        <Card key={name}>
          <Skeleton className="mb-3 h-6 w-32" />
          <Skeleton className="h-64 w-full" />
        </Card>
      ))}
    </div>
  );
}

/** What used most, what is always on, and what is odd. */
export function InsightCards({ home, timeZone }: { home: string; timeZone: string }): ReactElement {
  const { data, error, refetch } = useQuery(insightsQuery(home));
  if (data) {
    return (
      <div className={COLUMNS}>
        <ConsumersCard insights={data} timeZone={timeZone} />
        <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
          <StandbyCard insights={data} timeZone={timeZone} />
          <OddCard insights={data} timeZone={timeZone} />
        </div>
      </div>
    );
  }
  return error ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : <InsightsSkeleton />;
}
