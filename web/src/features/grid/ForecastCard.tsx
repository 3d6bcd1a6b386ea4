import { useQuery } from '@tanstack/react-query';
import { ChartSpline, Download, Table2 } from 'lucide-react';
import { type ReactElement, useMemo, useState } from 'react';

import type { GridForecast } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { ProblemNotice } from '@/components/ui/problem';
import { DayScores } from './DayScores';
import { ForecastPicture } from '@/charts/day/ForecastPicture';
import { IntervalsTable, WeekTable } from '@/charts/day/IntervalsTable';
import { Readout } from '@/charts/day/Readout';
import type { Scene } from '@/charts/day/forecastDrawing';
import { type Format, type Interval, csvHeader, csvRows, formatOf, formatOfWeek, intervalToStartWith, intervalsOf, intervalsOfWeek } from '@/charts/day/intervals';
import { weekQuery } from './queries';
import { download, toCsv } from '@/lib/csv';
import { useMedia } from '@/lib/media';
import { DAY_MS, localDay } from '@/lib/time';

const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /> Picture</> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /> Table</> },
] as const;

type Span = 'day' | 'before' | 'week';

/** What the numbers of a unit are, over the length of an interval. */
function meaningOf(unit: string): string {
  if (/^[kMG]Wh$/.test(unit)) return 'Energy of';
  return /^[kMG]?W$/.test(unit) ? 'Mean power of' : 'Values of';
}

interface Shown {
  intervals: readonly Interval[];
  /** All of them, for the table and the file. */
  all: readonly Interval[];
  format: Format;
}

/** What each span shows: a past day alone, today together with tomorrow, either with two days before, or a week. */
function useShown(forecast: GridForecast, span: Span, now: number): { shown: Shown; week: ReturnType<typeof useQuery<unknown, Error>> } {
  const { region, day } = forecast;
  const week = useQuery({ ...weekQuery(region.id, day), enabled: span === 'week' });
  const shown = useMemo((): Shown => {
    if (span === 'week' && week.data) {
      const all = intervalsOfWeek(week.data, region);
      return { intervals: all, all, format: formatOfWeek(week.data, region) };
    }
    const all = intervalsOf(forecast);
    const today = localDay(now, region.time_zone);
    const isNear = ({ start, part }: Interval): boolean => part === 'day' || (forecast.newest !== null && localDay(start, region.time_zone) >= today);
    return { intervals: span === 'before' ? all : all.filter(isNear), all, format: formatOf(forecast) };
  }, [forecast, region, span, week.data, now]);
  return { shown, week };
}

/** Where the readout begins: of a week, within the day that is shown. */
function startOf(intervals: readonly Interval[], { day, region }: GridForecast, isWeek: boolean, now: number): number {
  if (!isWeek) return intervalToStartWith(intervals, now);
  const before = intervals.findIndex(({ start }) => localDay(start, region.time_zone) === day);
  return before < 0 ? 0 : before + intervalToStartWith(intervals.slice(before), now);
}

interface ForecastCardProps {
  forecast: GridForecast;
  now: number;
}

/** The day as a picture, as a table and as a file. */
export function ForecastCard({ forecast, now }: ForecastCardProps): ReactElement {
  const isWide = useMedia('(min-width: 48rem)');
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const [chosenSpan, setSpan] = useState<Span | null>(null);
  const [chosenStart, setStart] = useState<number | null>(null);

  const isLive = forecast.newest !== null;
  const isDaily = forecast.region.resolution_seconds * 1000 === DAY_MS; // a day is then one point, which says nothing alone
  const span = chosenSpan ?? (isDaily || (isWide && !isLive) ? 'before' : 'day');
  const { shown, week } = useShown(forecast, span, now);
  const { intervals, all, format } = shown;
  const isWeek = span === 'week' && week.data !== undefined;
  const spans = [
    { value: 'day', label: isLive ? '2 days' : 'Day' },
    { value: 'before', label: isLive ? '4 days' : '3 days' },
    { value: 'week', label: 'Week' },
  ] as const;
  const { simulated: isSimulated } = forecast.region;
  const issuedAt = isWeek ? null : Date.parse(forecast.newest?.issued_at ?? forecast.issued_at);
  const scene = useMemo((): Scene => ({ intervals, format, now, issuedAt, isSimulated }), [intervals, format, now, issuedAt, isSimulated]);
  const found = chosenStart === null ? -1 : intervals.findIndex(({ start }) => start === chosenStart);
  const start = useMemo(() => startOf(intervals, forecast, isWeek, now), [intervals, forecast, isWeek, now]);
  const selected = found >= 0 ? found : start;

  const hasDoubts = intervals.some(({ doubts }) => doubts.length > 0);
  const save = (): void =>
    download(`watthour-${forecast.region.id}-${isWeek ? 'week-' : ''}${forecast.day}.csv`, toCsv(csvHeader(format), csvRows(all, format, isSimulated)));

  const spanChoice = <Choice label="Span" value={span} options={spans} onChange={setSpan} />;
  return (
    <Card
      title={format.step.title}
      note={`${meaningOf(forecast.unit)} ${format.step.each} in ${view === 'table' ? forecast.unit : format.shownIn.unit}`}
      actions={
        <>
          <Choice label="Show as" value={view} options={VIEWS} onChange={setView} />
          <Button square look="quiet" aria-label="Download CSV" title="Download CSV" onClick={save}>
            <Download aria-hidden className="size-5" />
          </Button>
        </>
      }
    >
      {view === 'table' ? (
        <>
          {isWeek ? <WeekTable intervals={all} format={format} /> : <IntervalsTable intervals={all} format={format} />}
          <div className="mt-3">{spanChoice}</div>
        </>
      ) : (
        <>
          <Readout interval={intervals[selected]} format={format} isSimulated={isSimulated} hasDoubts={hasDoubts} />
          <ForecastPicture
            scene={scene}
            label={`Chart of the ${isWeek ? 'week' : 'day'}; arrow keys choose ${format.step.one}`}
            selected={selected}
            onSelect={(index) => setStart(intervals[index]?.start ?? null)}
            controls={spanChoice}
          />
        </>
      )}
      {span === 'week' && week.error ? <ProblemNotice className="mt-3" error={week.error} onRetry={() => void week.refetch()} /> : null}
      {isWeek ? <p className="text-small text-muted mt-2">Each day as it was forecast the day before. Days without a kept forecast show their readings alone.</p> : null}
      {forecast.scores_of_day ? <DayScores rows={forecast.scores_of_day.rows} day={forecast.day} unit={forecast.unit} /> : null}
    </Card>
  );
}
