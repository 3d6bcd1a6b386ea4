import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useEffect, useMemo, useState } from 'react';

import { DayCard } from '@/charts/day/DayCard';
import { KnownTable, WeekTable } from '@/charts/day/IntervalsTable';
import { intervalToStartWith } from '@/charts/day/intervals';
import type { CarbonForecast, CarbonRegion } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { LiveBadge } from '@/components/ui/live-badge';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { SimulatedBanner } from '@/components/ui/simulated';
import { Skeleton } from '@/components/ui/skeleton';
import { Waiting } from '@/components/ui/waiting';
import { Words } from '@/components/ui/words';
import { carbonRegionsQuery } from '@/lib/carbon';
import { cn } from '@/lib/cn';
import { useLive } from '@/lib/live';
import { useMedia } from '@/lib/media';
import { useNow } from '@/lib/now';
import { ApiProblem } from '@/lib/problem';
import { HOUR_MS, formatAge, formatInstant, localDay, shiftDay } from '@/lib/time';

import { NowCard } from './NowCard';
import { ScoresCard } from './ScoresCard';
import { WindowCard } from './WindowCard';
import { formatOf, intervalsOf, pastOf } from './ahead';
import { HOURS, type Wish, currentQuery, forecastQuery, historyQuery, trendQuery, windowQuery } from './queries';

const MINUTE_MS = 60_000;
const NOT_FOUND = 404;
const SPANS = [
  { value: '24', label: '24 h' },
  { value: '48', label: '48 h' },
  { value: '96', label: '96 h' },
] as const;
const PASTS = [
  { value: '2', label: '2 days' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
] as const;
const BEFORE_MS = 12 * HOUR_MS; // of what was measured, beside the hours ahead

function called({ name, simulated }: CarbonRegion): string {
  return simulated && !name.includes('simulated') ? `${name} (simulated)` : name;
}

function RegionChoice({ regions, region, onRegion }: { regions: readonly CarbonRegion[]; region: string; onRegion: (id: string) => void }): ReactElement {
  const here = regions.find((each) => each.region === region);
  if (regions.length < 2) return <>Carbon in {here ? called(here) : region}</>;
  return (
    <>
      Carbon in{' '}
      <select aria-label="Region" value={region} onChange={({ target }) => onRegion(target.value)} className="rounded-control border-line bg-surface h-9 max-w-full border px-2 font-semibold">
        {here ? null : <option value={region}>{region}</option>}
        {regions.map((each) => (
          <option key={each.region} value={each.region}>
            {called(each)}
          </option>
        ))}
      </select>
    </>
  );
}

/** What a reader must know before trusting the picture. */
function Notices({ forecast, now }: { forecast: CarbonForecast; now: number }): ReactElement | null {
  const { stale, archive, known_until, data_age_hours, fallback, missing_inputs, time_zone } = forecast;
  const until = known_until === null ? null : formatInstant(Date.parse(known_until), time_zone, now);
  return (
    <>
      {stale || archive ? (
        <Notice look="warn" title={archive ? 'The readings ended long ago' : `No new reading for ${data_age_hours === null ? 'long' : formatAge(data_age_hours)}`}>
          {until ? `What is known ends ${until}. ` : ''}
          {archive ? 'The hours after it are shown, as they would have been forecast then.' : 'Everything below is forecast from there, and the band is wider for it.'}
        </Notice>
      ) : null}
      {fallback ? (
        <Notice look="warn" title="A simpler forecast is shown">
          <Words>{fallback}</Words>
        </Notice>
      ) : null}
      {missing_inputs.length > 0 ? (
        <details className="text-small">
          <summary className="text-accent cursor-pointer py-2 font-medium">What this forecast had to do without ({missing_inputs.length})</summary>
          <ul className="text-muted wrap-anywhere list-disc pl-5">
            {missing_inputs.map((words) => (
              <li key={words}>
                <Words>{words}</Words>
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </>
  );
}

interface PartProps {
  region: string;
  forecast: CarbonForecast;
  now: number;
}

/** The hours ahead with their band, after what was measured last. */
function AheadCard({ region, forecast, now }: PartProps): ReactElement {
  const isWide = useMedia('(min-width: 48rem)');
  const [chosen, setSpan] = useState<'24' | '48' | '96' | null>(null);
  const span = chosen ?? (isWide ? '96' : '24');
  const begins = Date.parse(forecast.points[0]?.time ?? '9999');
  const since = localDay(begins - 2 * BEFORE_MS, forecast.time_zone);
  const past = useQuery(historyQuery(region, forecast.series.channel, since));
  const intervals = useMemo(
    () => intervalsOf(forecast, past.data, begins - BEFORE_MS, begins + Number(span) * HOUR_MS),
    [forecast, past.data, begins, span],
  );
  const format = useMemo(() => formatOf(forecast, forecast.points.map(({ value }) => value)), [forecast]);
  return (
    <DayCard
      title="The hours ahead"
      intervals={intervals}
      format={format}
      now={now}
      issuedAt={Date.parse(forecast.issued_at)}
      isSimulated={forecast.simulated}
      start={intervalToStartWith(intervals, now)}
      label="Chart of the carbon intensity ahead; arrow keys choose an interval"
      file={`watthour-${region}-carbon-ahead`}
      table={<WeekTable intervals={intervals} format={format} label="The hours ahead in numbers" />}
      controls={<Choice label="Hours ahead" value={span} options={SPANS} onChange={setSpan} />}
    />
  );
}

/** What was measured over some days. */
function PastCard({ region, forecast, now }: PartProps): ReactElement {
  const [days, setDays] = useState<'2' | '7' | '30'>('7');
  const end = forecast.archive && forecast.known_until ? Date.parse(forecast.known_until) : now;
  const past = useQuery(historyQuery(region, forecast.series.channel, shiftDay(localDay(end, forecast.time_zone), 1 - Number(days))));
  const intervals = useMemo(() => (past.data ? pastOf(past.data) : []), [past.data]);
  const format = useMemo(() => ({ ...formatOf(forecast, intervals.map(({ actual }) => actual)), isMeasuredAlone: true as const }), [forecast, intervals]);
  const controls = <Choice label="Days of the past" value={days} options={PASTS} onChange={setDays} />;
  if (past.error && !past.data) return <ProblemNotice error={past.error} onRetry={() => void past.refetch()} />;
  if (!past.data) return <Waiting name="the past" failure={past.failureReason} />;
  if (intervals.length === 0) {
    return (
      <Card title="The past">
        <p className="text-muted py-6">Nothing is known of these days.</p>
        {controls}
      </Card>
    );
  }
  return (
    <div className={cn(past.isPlaceholderData && 'opacity-60')} aria-busy={past.isPlaceholderData}>
      <DayCard
        title="The past"
        intervals={intervals}
        format={format}
        now={now}
        issuedAt={null}
        isSimulated={forecast.simulated}
        start={Math.max(0, intervals.findLastIndex(({ actual }) => actual !== null))}
        label="Chart of the past carbon intensity; arrow keys choose an interval"
        file={`watthour-${region}-carbon-past`}
        table={<KnownTable intervals={intervals} format={format} label="The past in numbers" />}
        controls={controls}
      />
    </div>
  );
}

interface CarbonPageProps {
  region: string;
  onRegion: (region: string) => void;
}

/** How clean the electricity of a region is, will be and was, and when to run what. */
export function CarbonPage({ region, onRegion }: CarbonPageProps): ReactElement {
  const [wish, setWish] = useState<Wish>({ duration: '3h', until: '24h' });
  const regions = useQuery(carbonRegionsQuery);
  const query = useQuery(forecastQuery(region));
  const isUnknown = query.error instanceof ApiProblem && query.error.status === NOT_FOUND;
  const found = useQuery({ ...windowQuery(region, wish), enabled: !isUnknown });
  const trend = useQuery({ ...trendQuery(region), enabled: query.data !== undefined });
  const current = useQuery({ ...currentQuery(region), enabled: !isUnknown });
  const live = useLive(isUnknown ? null : region);
  const browserNow = useNow(MINUTE_MS);
  const { data: forecast } = query;
  const now = forecast ? Date.parse(forecast.generated_at) + Math.max(0, browserNow - query.dataUpdatedAt) : browserNow;
  const problem = found.error ? <ProblemNotice error={found.error} onRetry={() => void found.refetch()} /> : null;

  useEffect(() => {
    document.title = `Carbon, ${forecast?.name ?? region} · Watthour`;
  }, [forecast?.name, region]);

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      {forecast?.simulated ? (
        <SimulatedBanner>
          <Link to="/sources" className="text-accent font-medium underline">
            Connect real data
          </Link>
        </SimulatedBanner>
      ) : null}
      <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <h1 className="text-title min-w-0 font-semibold">
          <RegionChoice regions={regions.data?.regions ?? []} region={region} onRegion={onRegion} />
        </h1>
        {isUnknown ? null : <LiveBadge live={live} />}
      </header>

      {query.error ? (
        <ProblemNotice
          error={query.error}
          onRetry={() => void query.refetch()}
          actions={
            isUnknown ? (
              <Button asChild>
                <Link to="/sources">What is connected</Link>
              </Button>
            ) : null
          }
        />
      ) : null}
      {found.data && !found.error ? (
        <p aria-live="polite" className={cn('text-answer max-w-4xl font-semibold text-balance', found.isPlaceholderData && 'opacity-60')}>
          {found.data.words.replaceAll(' %', '\u00a0%')}
        </p>
      ) : query.error || found.error ? null : (
        <Skeleton className="h-16 w-full max-w-2xl" />
      )}
      {forecast ? (
        <>
          <p className="text-small text-muted -mt-3">
            {forecast.model_label}, issued {formatInstant(Date.parse(forecast.issued_at), forecast.time_zone, now)}
            {forecast.known_until ? `; readings known until ${formatInstant(Date.parse(forecast.known_until), forecast.time_zone, now)}` : ''}
          </p>
          <Notices forecast={forecast} now={now} />
          <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.4fr)]">
            <NowCard forecast={forecast} trend={trend.data} current={current.data} now={now} />
            <WindowCard found={found.data} wish={wish} onWish={setWish} problem={problem} now={now} />
          </div>
          <AheadCard region={region} forecast={forecast} now={now} />
          <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-2">
            <PastCard region={region} forecast={forecast} now={now} />
            <ScoresCard forecast={forecast} />
          </div>
          <nav aria-label="More about carbon" className="text-small">
            <Link to="/grid/$region" params={{ region: forecast.series.channel }} className="text-accent py-2 font-medium underline">
              Past days as they were forecast
            </Link>
          </nav>
        </>
      ) : query.error ? null : (
        <Waiting name={`the next ${HOURS} hours`} failure={query.failureReason} />
      )}
    </div>
  );
}
