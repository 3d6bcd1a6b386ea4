import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useMemo, useState } from 'react';

import { DayCard } from '@/charts/day/DayCard';
import { WeekTable } from '@/charts/day/IntervalsTable';
import { type Format, type Interval, formatOf, formatOfWeek, intervalToStartWith, intervalsOf, intervalsOfWeek } from '@/charts/day/intervals';
import type { GridForecast } from '@/client';
import { Choice } from '@/components/ui/choice';
import { ProblemNotice } from '@/components/ui/problem';
import { useMedia } from '@/lib/media';
import { DAY_MS, localDay } from '@/lib/time';

import { DayScores } from './DayScores';
import { weekQuery } from './queries';

type Span = 'day' | 'before' | 'week';

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
  const [chosenSpan, setSpan] = useState<Span | null>(null);

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
  const start = useMemo(() => startOf(intervals, forecast, isWeek, now), [intervals, forecast, isWeek, now]);
  return (
    <DayCard
      title={format.step.title}
      intervals={intervals}
      all={all}
      format={format}
      now={now}
      issuedAt={issuedAt}
      isSimulated={isSimulated}
      start={start}
      label={`Chart of the ${isWeek ? 'week' : 'day'}; arrow keys choose ${format.step.one}`}
      file={`watthour-${forecast.region.id}-${isWeek ? 'week-' : ''}${forecast.day}`}
      table={isWeek ? <WeekTable intervals={all} format={format} /> : undefined}
      controls={<Choice label="Span" value={span} options={spans} onChange={setSpan} />}
    >
      {span === 'week' && week.error ? <ProblemNotice className="mt-3" error={week.error} onRetry={() => void week.refetch()} /> : null}
      {isWeek ? <p className="text-small text-muted mt-2">Each day as it was forecast the day before. Days without a kept forecast show their readings alone.</p> : null}
      {forecast.scores_of_day ? <DayScores rows={forecast.scores_of_day.rows} day={forecast.day} unit={forecast.unit} /> : null}
    </DayCard>
  );
}
