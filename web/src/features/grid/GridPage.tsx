import { useQuery } from '@tanstack/react-query';
import { type ReactElement, type ReactNode, useEffect, useState } from 'react';

import type { GridForecast, Status } from '@/client';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Choice } from '@/components/ui/choice';
import { ProblemNotice } from '@/components/ui/problem';
import { SimulatedBanner } from '@/components/ui/simulated';
import { Skeleton } from '@/components/ui/skeleton';
import { DayNavigation } from './DayNavigation';
import { ForecastCard } from './ForecastCard';
import { FreshnessCard } from './FreshnessCard';
import { DataSkeleton, GridSkeleton, ScoresSkeleton } from './GridSkeleton';
import { Notices } from './Notices';
import { Provenance } from './Provenance';
import { HistoryCard, type HistoryDays } from './HistoryCard';
import { ReliabilityCard } from './ReliabilityCard';
import { type ScoreDays, ScoresCard } from './ScoresCard';
import { forecastQuery, historyQuery, scoresQuery } from './queries';
import { cn } from '@/lib/cn';
import { statusQuery } from '@/lib/status';
import { type Step, stepOf } from '@/lib/step';
import { formatDay, localDay, relativeDay } from '@/lib/time';

interface GridPageProps {
  region: string;
  /** A calendar day of the region; without it, tomorrow. */
  day: string | undefined;
  onDay: (day: string | undefined) => void;
  onRegion: (region: string) => void;
  /** The card that brings real data in, offered where data is simulated, stale or missing. */
  connect: ReactNode;
  /** What trains a model, offered where none answers for a real site. */
  train: ReactNode;
}

const CONNECT_ID = 'connect';

/** Keeps a number and its unit on one line. */
function unbroken(sentence: string, unit: string): string {
  return [unit, '%'].reduce((text, word) => text.replaceAll(` ${word}`, `\u00a0${word}`), sentence);
}

function Heading({ forecast, today }: { forecast: GridForecast; today: string }): ReactElement {
  const { day } = forecast;
  const relative = relativeDay(day, today);
  return (
    <p className="text-muted flex flex-wrap items-center gap-x-2">
      <span>{[relative, formatDay(day)].filter(Boolean).join(', ')}</span>
      {day < today ? <Badge>As known then</Badge> : null}
    </p>
  );
}

/** What the names of a simulated site say too; it is said once, at the end. */
const SIMULATED = / \(simulated\)$/;

/** A name, and who runs the grid there where somebody does. */
function called({ name, operator, simulated }: Status['regions'][number]): string {
  const words = [name, operator].filter((word) => word !== null && word !== '').map((word) => word?.replace(SIMULATED, ''));
  return words.join(' · ') + (simulated ? ' (simulated)' : '');
}

function RegionChoice({ regions, region, onRegion }: { regions: Status['regions']; region: string; onRegion: (id: string) => void }): ReactElement {
  const here = regions.find(({ id }) => id === region);
  const choices = regions.filter(({ id, kind }) => kind === 'region' || id === region); // homes are chosen on their own page
  if (choices.length < 2) return <>{here ? called(here) : region}</>;
  return (
    <select
      aria-label="Region"
      value={region}
      onChange={(event) => onRegion(event.target.value)}
      className="rounded-control border-line bg-surface -ml-1 h-9 max-w-full border px-2 font-semibold"
    >
      {choices.map((entry) => (
        <option key={entry.id} value={entry.id}>
          {called(entry)}
        </option>
      ))}
    </select>
  );
}

const SERIES: Record<string, string> = { price: 'Price', carbon_intensity: 'Carbon', power: 'Load', energy: 'Load' };

/** What of a region is forecast: its load, and what stands beside it. */
function SeriesChoice({ forecast, onSeries }: { forecast: GridForecast; onSeries: (name: string) => void }): ReactElement | null {
  const { series, region } = forecast;
  const here = series.find(({ channel }) => channel === region.channel);
  if (series.length < 2 || !here) return null;
  const options = series.map(({ id, quantity }) => ({ value: id, label: SERIES[quantity] ?? id }));
  return (
    <div className="my-1.5">
      <Choice label="Series" value={here.id} options={options} onChange={onSeries} />
    </div>
  );
}

interface ScoresProps {
  region: string;
  end: string | undefined;
  /** What the intervals scored are called, where that is known yet. */
  step: Step | undefined;
}

function Scores({ region, end, step }: ScoresProps): ReactElement {
  const [days, setDays] = useState<ScoreDays>(30);
  const scores = useQuery(scoresQuery(region, days, end));
  if (scores.data) return <ScoresCard scores={scores.data} intervals={step?.many ?? 'intervals'} days={days} onDays={setDays} />;
  if (scores.error) return <ProblemNotice error={scores.error} onRetry={() => void scores.refetch()} />;
  return <ScoresSkeleton />;
}

/** How far off everybody was, and whether the bands kept their word, over the same days. */
function History({ region, end, step }: ScoresProps): ReactElement {
  const [days, setDays] = useState<HistoryDays>(30);
  const history = useQuery(historyQuery(region, days, end));
  if (history.error) return <ProblemNotice error={history.error} onRetry={() => void history.refetch()} />;
  if (!history.data) return <ScoresSkeleton />;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
      <HistoryCard history={history.data} days={days} onDays={setDays} />
      <ReliabilityCard history={history.data} intervals={step?.many ?? 'intervals'} />
    </div>
  );
}

/** Tomorrow as it is forecast for a site, or any day of the past as it was known then. */
export function GridPage({ region, day, onDay, onRegion, connect, train }: GridPageProps): ReactElement {
  const status = useQuery(statusQuery);
  const query = useQuery(forecastQuery(region, day));
  const forecast = query.data;
  const now = status.data ? Date.parse(status.data.now) : query.dataUpdatedAt;
  const today = forecast ? localDay(now, forecast.region.time_zone) : '';
  const shown = forecast?.region ?? status.data?.regions.find(({ id }) => id === region);
  const site = forecast?.series.some(({ id }) => id === region) ? forecast.region.id : region; // its price goes by a name of its own
  const isSimulated = shown?.simulated ?? false;

  // Rivals' forecasts go by the same channel; its own readings come first.
  const readings = forecast?.freshness.find(({ channel }) => channel === forecast.region.channel);
  const wantsData = isSimulated || readings?.stale === true || readings?.archive === true || (query.error !== null && !forecast);

  useEffect(() => {
    document.title = forecast ? `${forecast.region.name}, ${forecast.day} · Watthour` : 'Watthour';
  }, [forecast]);

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      {isSimulated ? (
        <SimulatedBanner>
          <a href={`#${CONNECT_ID}`} className="text-accent font-medium underline">
            Connect real data
          </a>
        </SimulatedBanner>
      ) : null}
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h1 className="text-title font-semibold">
            {status.data ? <RegionChoice regions={status.data.regions} region={site} onRegion={onRegion} /> : (forecast?.region.name ?? (status.error ? region : <Skeleton className="h-6 w-56" />))}
          </h1>
          {forecast ? <SeriesChoice forecast={forecast} onSeries={onRegion} /> : null}
          {forecast ? <Heading forecast={forecast} today={today} /> : query.error ? null : <Skeleton className="mt-1 h-5 w-64" />}
        </div>
        {forecast ? (
          <DayNavigation day={forecast.day} first={forecast.days.first} last={forecast.days.last} onDay={onDay} />
        ) : query.error ? null : (
          <Skeleton className="h-10 w-72" />
        )}
      </header>

      {query.error ? (
        <ProblemNotice
          error={query.error}
          onRetry={() => void query.refetch()}
          actions={day ? <Button onClick={() => onDay(undefined)}>Open the latest day</Button> : null}
        />
      ) : null}
      {forecast ? (
        <div className={cn('grid grid-cols-[minmax(0,1fr)] gap-5', query.isPlaceholderData && 'opacity-60')} aria-busy={query.isPlaceholderData}>
          <div>
            <p aria-live="polite" className="text-answer mb-3 max-w-4xl font-semibold text-balance">
              {unbroken(forecast.headline, forecast.shown_in.unit)}
            </p>
            <Provenance forecast={forecast} now={now} />
          </div>
          <Notices forecast={forecast} train={isSimulated ? null : train} />
          <ForecastCard forecast={forecast} now={now} />
        </div>
      ) : query.error ? null : (
        <GridSkeleton />
      )}

      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        {query.error && !forecast ? null : <Scores region={region} end={day} step={shown && stepOf(shown.resolution_seconds)} />}
        {forecast && status.data ? (
          <FreshnessCard series={forecast.freshness} sources={status.data.sources.filter((source) => source.site === site)} findings={status.data.arrivals.filter((finding) => finding.region === site)} timeZone={forecast.region.time_zone} now={now} />
        ) : query.error ? null : (
          <DataSkeleton />
        )}
      </div>
      {query.error && !forecast ? null : <History region={region} end={day} step={shown && stepOf(shown.resolution_seconds)} />}
      {wantsData ? <div id={CONNECT_ID}>{connect}</div> : null}
    </div>
  );
}
