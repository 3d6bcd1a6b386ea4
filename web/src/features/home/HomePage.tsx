import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useEffect } from 'react';

import { TomorrowCard } from '@/charts/day/TomorrowCard';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { HomeChoice } from '@/components/ui/home-choice';
import { LiveBadge } from '@/components/ui/live-badge';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { SimulatedBanner } from '@/components/ui/simulated';
import { Skeleton } from '@/components/ui/skeleton';
import { hasReadings, homeQuery, rememberHome } from '@/lib/homes';
import { serverNow, useLive } from '@/lib/live';
import { useNow } from '@/lib/now';
import { ApiProblem } from '@/lib/problem';
import { formatAge, formatInstant } from '@/lib/time';
import { type PartUsage, type Usage, mainsOf, usageQuery } from '@/lib/usage';

import { InsightCards } from './InsightCards';
import { NowCard } from './NowCard';
import { TodayCard } from './TodayCard';

const MINUTE_MS = 60_000;
const UNKNOWN_SITE = 404;
const NO_WEATHER = 'No weather is known, as the place of this home is not: give its coordinates on the page Sites.';

function NowSkeleton(): ReactElement {
  return (
    <div role="status" aria-label="Loading what is used now" className="grid gap-5 md:grid-cols-2">
      {['now', 'today'].map((name) => (
        <Card key={name}>
          <Skeleton className="mb-3 h-6 w-24" />
          <Skeleton className="h-44 w-full" />
        </Card>
      ))}
    </div>
  );
}

/** What a home says that nothing was ever measured in. */
function NoReadings({ home, name }: { home: string; name: string }): ReactElement {
  return (
    <Notice
      title={`No readings of ${name} yet`}
      actions={
        <>
          <Button asChild look="primary">
            <Link to="/start" search={{ home }}>
              Bring its readings in
            </Link>
          </Button>
          <Button asChild>
            <Link to="/sources">What is connected</Link>
          </Button>
        </>
      }
    >
      What it uses appears here as soon as something is measured, and tomorrow's forecast when enough of it is known. This page need not be loaded again.
    </Notice>
  );
}

/** The meter is silent for longer than it usually is. */
function Silence({ mains, usage, now }: { mains: PartUsage; usage: Usage; now: number }): ReactElement | null {
  if (!mains.is_late || mains.heard_at === null) return null;
  const heard = Date.parse(mains.heard_at);
  const hours = (now - heard) / (60 * MINUTE_MS);
  return (
    <Notice
      look="warn"
      title={`No new reading of the meter for ${formatAge(hours)}`}
      actions={
        <>
          <Button asChild>
            <Link to="/sources">Look at its source</Link>
          </Button>
          <Button asChild>
            <Link to="/start" search={{ home: usage.home }}>
              Import newer readings
            </Link>
          </Button>
        </>
      }
    >
      It was last heard {formatInstant(heard, usage.time_zone, now)}. Everything below is as it was known then.
    </Notice>
  );
}

function isEmpty({ parts }: Usage): boolean {
  return parts.every(({ heard_at, today_kwh, yesterday_kwh }) => heard_at === null && today_kwh === null && yesterday_kwh === null);
}

interface HomePageProps {
  home: string;
  onHome: (home: string) => void;
}

/** What a home uses now, what it will use, and what is odd. */
export function HomePage({ home, onHome }: HomePageProps): ReactElement {
  const usage = useQuery(usageQuery(home));
  const isUnknown = usage.error instanceof ApiProblem && usage.error.status === UNKNOWN_SITE;
  const live = useLive(isUnknown ? null : home);
  const about = useQuery(homeQuery(home));
  const browserNow = useNow(MINUTE_MS);
  const { data } = usage;
  // By the clock of the server; it moves by the minute, for a chart that is drawn anew each second helps nobody.
  const now = data ? serverNow(data.at, usage.dataUpdatedAt, Math.max(browserNow, usage.dataUpdatedAt)) : browserNow;
  const name = data?.name ?? home;
  const mains = data && mainsOf(data);
  const hasNothing = data !== undefined && isEmpty(data) && about.data !== undefined && !hasReadings(about.data);
  const main = about.data?.channels.find(({ id }) => id === about.data.main_channel);

  useEffect(() => {
    document.title = `${name} · Watthour`;
  }, [name]);
  useEffect(() => {
    if (data) rememberHome(data.home);
  }, [data]);

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      {data?.is_simulated ? (
        <SimulatedBanner>
          <Link to="/start" className="text-accent font-medium underline">
            Add your own home
          </Link>
        </SimulatedBanner>
      ) : null}
      <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <h1 className="text-title min-w-0 font-semibold">
          <HomeChoice home={home} onHome={onHome} />
        </h1>
        {isUnknown ? null : <LiveBadge live={live} />}
      </header>

      {usage.error && !data ? (
        <ProblemNotice
          error={usage.error}
          onRetry={() => void usage.refetch()}
          actions={
            isUnknown ? (
              <Button asChild>
                <Link to="/start">Add a home</Link>
              </Button>
            ) : null
          }
        />
      ) : null}
      {usage.error && data ? (
        <Notice look="warn" role="alert" title="Watthour does not answer">
          Shown is what was known {formatInstant(Date.parse(data.at), data.time_zone, now)}. It is asked again by itself.
        </Notice>
      ) : null}

      {hasNothing ? <NoReadings home={home} name={name} /> : null}
      {data && !hasNothing ? (
        <>
          {mains ? <Silence mains={mains} usage={data} now={now} /> : null}
          <div className="grid grid-cols-[minmax(0,1fr)] gap-5 md:grid-cols-2">
            <NowCard usage={data} answeredAt={usage.dataUpdatedAt} />
            <TodayCard usage={data} />
          </div>
          <TomorrowCard home={home} timeZone={data.time_zone} since={main?.first_time ?? null} lacks={about.data?.weather === 'none' && !data.is_simulated ? NO_WEATHER : null} now={now} />
          <InsightCards home={home} timeZone={data.time_zone} />
          <nav aria-label="More about this home" className="text-small flex flex-wrap gap-x-5 gap-y-1">
            <Link to="/devices/$home" params={{ home }} className="text-accent py-2 font-medium underline">
              All devices
            </Link>
            <Link to="/grid/$region" params={{ region: home }} className="text-accent py-2 font-medium underline">
              Past days, and how good the forecasts were
            </Link>
          </nav>
        </>
      ) : null}
      {data || usage.error ? null : <NowSkeleton />}
    </div>
  );
}
