import { ChartSpline, Download, Table2 } from 'lucide-react';
import { type ReactElement, useMemo, useState } from 'react';

import type { GridForecast } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { DayScores } from './DayScores';
import { ForecastPicture } from './ForecastPicture';
import { IntervalsTable } from './IntervalsTable';
import { Readout } from './Readout';
import { csvHeader, csvRows, formatOf, intervalToStartWith, intervalsOf } from './intervals';
import { download, toCsv } from '@/lib/csv';
import { useMedia } from '@/lib/media';
import { DAY_MS } from '@/lib/time';

const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /> Picture</> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /> Table</> },
] as const;

const SPANS = [
  { value: 'day', label: 'Day' },
  { value: 'before', label: '+ 48 h before' },
] as const;

/** What the numbers of a unit are, over the length of an interval. */
function meaningOf(unit: string): string {
  if (/^[kM]Wh$/.test(unit)) return 'Energy of';
  return /^[kM]?W$/.test(unit) ? 'Mean power of' : 'Values of';
}

interface ForecastCardProps {
  forecast: GridForecast;
  now: number;
}

/** The day as a picture, as a table and as a file. */
export function ForecastCard({ forecast, now }: ForecastCardProps): ReactElement {
  const isWide = useMedia('(min-width: 48rem)');
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const [chosenSpan, setSpan] = useState<'day' | 'before' | null>(null);
  const [chosenStart, setStart] = useState<number | null>(null);

  const format = useMemo(() => formatOf(forecast), [forecast]);
  const isDaily = format.step.ms === DAY_MS; // a day is then one point, which says nothing alone
  const span = chosenSpan ?? (isWide || isDaily ? 'before' : 'day');
  const all = useMemo(() => intervalsOf(forecast), [forecast]);
  const intervals = useMemo(() => (span === 'day' ? all.filter(({ part }) => part === 'day') : all), [all, span]);
  const { simulated: isSimulated } = forecast.region;
  const scene = useMemo(
    () => ({ intervals, format, now, issuedAt: Date.parse(forecast.issued_at), isSimulated, isNarrow: !isWide }),
    [intervals, format, forecast.issued_at, now, isSimulated, isWide],
  );
  const found = chosenStart === null ? -1 : intervals.findIndex(({ start }) => start === chosenStart);
  const selected = found >= 0 ? found : intervalToStartWith(intervals, now);

  const hasDoubts = intervals.some(({ doubts }) => doubts.length > 0);
  const save = (): void =>
    download(`watthour-${forecast.region.id}-${forecast.day}.csv`, toCsv(csvHeader(format), csvRows(all, format, isSimulated)));

  return (
    <Card
      title={format.step.title}
      note={`${meaningOf(forecast.unit)} ${format.step.each} in ${forecast.unit}`}
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
        <IntervalsTable intervals={all} format={format} />
      ) : (
        <>
          <Readout interval={intervals[selected]} format={format} isSimulated={isSimulated} hasDoubts={hasDoubts} />
          <ForecastPicture scene={scene} selected={selected} onSelect={(index) => setStart(intervals[index]?.start ?? null)} />
          <div className="mt-3">
            <Choice label="Span" value={span} options={SPANS} onChange={setSpan} />
          </div>
        </>
      )}
      {forecast.scores_of_day ? <DayScores rows={forecast.scores_of_day.rows} day={forecast.day} unit={forecast.unit} /> : null}
    </Card>
  );
}
