import { useQuery } from '@tanstack/react-query';
import { ChartSpline, ChevronLeft, ChevronRight, Download, Table2 } from 'lucide-react';
import { type ReactElement, useMemo, useState } from 'react';

import { Picture } from '@/charts/Picture';
import { forecastDrawing } from '@/charts/day/forecastDrawing';
import { type Format, type Interval, doubtsInWords, middleOf, shownQuantity, shownValue } from '@/charts/day/intervals';
import type { PastUseAnswer } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { download } from '@/lib/csv';
import { intervalsIn } from '@/lib/step';
import { DAY_MS, formatDay, formatShortDay, localDay, relativeDay, shiftDay } from '@/lib/time';

import { PERIOD_DAYS, type Period, csvOfPast, daysTo, formatOfPast, intervalsOfPast, sumInWords } from './history';
import { historyQuery } from './queries';
import { wordOf } from './words';

const PERIODS = [
  { value: 'day', label: 'Day' },
  { value: 'week', label: 'Week' },
  { value: 'month', label: 'Month' },
] as const;
const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /> Picture{' '}<span className="sr-only">of the past</span></> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /> Table{' '}<span className="sr-only">of the past</span></> },
] as const;
const PAGE_HOURS = 6;

/** `Today`, `Friday 20 November 2026`, or both ends. */
function nameOf({ start, end }: { start: string; end: string }, today: string): string {
  if (start === end) return relativeDay(end, today) ?? formatDay(end);
  const [from, to] = [start, end].map((day) => formatShortDay(Date.parse(`${day}T12:00Z`), 'UTC'));
  return `${from} to ${to}`;
}

interface PastProps {
  past: PastUseAnswer;
  format: Format;
  intervals: readonly Interval[];
}

function whenOf({ start, label }: Interval, { step, timeZone }: Format): string {
  return step.ms === DAY_MS ? label : `${formatShortDay(start, timeZone)}, ${label}`;
}

function PastPicture({ past, format, intervals, now }: PastProps & { now: number }): ReactElement {
  const [chosen, setChosen] = useState<number | null>(null);
  const drawing = useMemo(() => {
    const made = forecastDrawing({ intervals, format, now, issuedAt: null, isSimulated: past.simulated });
    return { ...made, panels: made.panels.map((panel) => Object.assign({}, panel, { hasZero: true })) };
  }, [intervals, format, now, past.simulated]);
  const places = useMemo(() => intervals.map(middleOf), [intervals]);
  const found = chosen === null ? -1 : intervals.findIndex(({ start }) => start === chosen);
  const selected = found >= 0 ? found : Math.max(0, intervals.findLastIndex(({ actual }) => actual !== null));
  const interval = intervals[selected];
  const value = interval?.actual ?? null;
  const dots = useMemo(() => (value === null ? [] : [{ panel: 'load', y: value / format.shownIn.divisor, colour: 'load' as const }]), [value, format.shownIn.divisor]);
  const doubts = interval && interval.doubts.length > 0 ? doubtsInWords(interval.doubts) : '';
  const spoken = interval ? [whenOf(interval, format), shownQuantity(value, format.shownIn), doubts].filter(Boolean).join(', ') : '';
  return (
    <>
      <dl className="text-small mb-2 grid grid-cols-2 gap-x-4 sm:grid-cols-[repeat(2,minmax(0,12rem))]">
        <div className="min-w-0">
          <dt className="text-muted">{interval && format.step.ms !== DAY_MS ? formatShortDay(interval.start, format.timeZone) : 'Day'}</dt>
          <dd className="font-semibold">{interval?.label ?? '–'}</dd>
        </div>
        <div className="min-w-0">
          <dt className="text-muted">{format.step.ms === DAY_MS ? 'Energy' : 'Mean power'}</dt>
          <dd className="font-medium whitespace-nowrap">{shownQuantity(value, format.shownIn)}</dd>
        </div>
      </dl>
      {intervals.some(({ doubts: its }) => its.length > 0) ? <p className="text-small text-warn mb-1 min-h-5 font-medium">{doubts ? `◇ ${doubts}` : ''}</p> : null}
      <Picture
        label={`Chart of the past; arrow keys choose ${format.step.one}`}
        drawing={drawing}
        places={places}
        selected={selected}
        onSelect={(index) => setChosen(intervals[index]?.start ?? null)}
        spoken={spoken}
        dots={dots}
        page={intervalsIn(PAGE_HOURS, format.step)}
        className={cn('h-56 sm:h-64', past.simulated && 'hatched')}
      />
    </>
  );
}

function PastTable({ format, intervals }: PastProps): ReactElement {
  const isOfDays = format.step.ms === DAY_MS;
  return (
    <Table aria-label="The past in numbers" boxClassName="max-h-96 border-line border-b">
      <thead>
        <tr>
          <Head className="sticky top-0 left-0 z-2 text-left">{format.step.head}</Head>
          <Head unit={format.shownIn.unit} className="sticky top-0 z-1">
            {isOfDays ? 'Energy' : 'Mean power'}
          </Head>
          <Head className="sticky top-0 z-1">Known</Head>
        </tr>
      </thead>
      <tbody>
        {intervals.map((interval) => (
          <tr key={interval.start}>
            <RowHead className="whitespace-nowrap">{whenOf(interval, format)}</RowHead>
            <Value>{shownValue(interval.actual, format.shownIn)}</Value>
            <Value className={interval.doubts.length > 0 ? 'text-warn' : undefined}>{interval.actual === null ? 'not known' : interval.doubts.length > 0 ? doubtsInWords(interval.doubts) : 'whole'}</Value>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

interface HistoryCardProps {
  home: string;
  device: string;
  timeZone: string;
  now: number;
}

/** What a device used: a day, a week or a month of it, as a picture, a table and a file. */
export function HistoryCard({ home, device, timeZone, now }: HistoryCardProps): ReactElement {
  const [period, setPeriod] = useState<Period>('day');
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const [chosen, setLast] = useState<string | null>(null);
  const today = localDay(now, timeZone);
  const last = chosen ?? today;
  const days = daysTo(last, period);
  const { data, error, isPlaceholderData, refetch } = useQuery(historyQuery(home, wordOf(device), days.start, days.end));
  const made = useMemo(() => (data ? { past: data, format: formatOfPast(data), intervals: intervalsOfPast(data) } : null), [data]);
  const move = (by: number): void => {
    const day = shiftDay(last, by * PERIOD_DAYS[period]);
    setLast(day >= today ? null : day);
  };
  return (
    <Card
      title="Past"
      note={made ? (made.format.step.ms === DAY_MS ? 'Energy of each day in kWh' : `Mean power of ${made.format.step.each} in ${made.format.shownIn.unit}`) : undefined}
      actions={
        <>
          <Choice label="Days of the past" value={period} options={PERIODS} onChange={setPeriod} />
          <Choice label="Show the past as" value={view} options={VIEWS} onChange={setView} />
          <Button
            square
            look="quiet"
            aria-label="Download the past as CSV"
            title="Download CSV"
            disabled={!data}
            onClick={() => data && download(`watthour-${home}-${wordOf(device)}-${days.start}-${days.end}.csv`, csvOfPast(data))}
          >
            <Download aria-hidden className="size-5" />
          </Button>
        </>
      }
    >
      <div className="mb-2 flex items-center gap-1">
        <Button square look="quiet" aria-label={`A ${period} earlier`} onClick={() => move(-1)}>
          <ChevronLeft aria-hidden className="size-5" />
        </Button>
        <p className="min-w-0 font-semibold" aria-live="polite">
          {nameOf(days, today)}
        </p>
        <Button square look="quiet" aria-label={`A ${period} later`} disabled={last >= today} onClick={() => move(1)}>
          <ChevronRight aria-hidden className="size-5" />
        </Button>
      </div>
      {error && !made ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : null}
      {made ? (
        <div className={cn('transition-opacity', isPlaceholderData && 'opacity-50')} aria-busy={isPlaceholderData}>
          <p className="text-small text-muted mb-2">{sumInWords(made.past)}</p>
          {made.intervals.every(({ actual }) => actual === null) ? (
            <p className="text-muted py-6">
              {made.past.channels.length === 0 ? 'Nothing measures this device yet: give it a channel, or connect it on the page Sources.' : 'No readings of these days. Go to an earlier day, or see on the page Sources whether it is still connected.'}
            </p>
          ) : view === 'table' ? (
            <PastTable {...made} />
          ) : (
            <PastPicture {...made} now={now} />
          )}
        </div>
      ) : error ? null : (
        <Skeleton className="h-72 w-full" />
      )}
    </Card>
  );
}
