import { ChartSpline, Download, Table2 } from 'lucide-react';
import { type ReactElement, useMemo, useState } from 'react';

import type { GridForecast } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { DayScores } from './DayScores';
import { ForecastPicture } from './ForecastPicture';
import { HoursTable } from './HoursTable';
import { Readout } from './Readout';
import { CSV_HEADER, csvRows, hourToStartWith, hoursOf } from './hours';
import { download, toCsv } from '@/lib/csv';
import { useMedia } from '@/lib/media';

const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /> Picture</> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /> Table</> },
] as const;

const SPANS = [
  { value: 'day', label: 'Day' },
  { value: 'before', label: '+ 48 h before' },
] as const;

interface ForecastCardProps {
  forecast: GridForecast;
  now: number;
}

/** The day as a picture, as a table and as a file. */
export function ForecastCard({ forecast, now }: ForecastCardProps): ReactElement {
  const isWide = useMedia('(min-width: 48rem)');
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const [chosenSpan, setSpan] = useState<'day' | 'before' | null>(null);
  const [chosenHour, setHour] = useState<number | null>(null);

  const span = chosenSpan ?? (isWide ? 'before' : 'day');
  const all = useMemo(() => hoursOf(forecast), [forecast]);
  const hours = useMemo(() => (span === 'day' ? all.filter(({ part }) => part === 'day') : all), [all, span]);
  const { time_zone: timeZone, simulated: isSimulated } = forecast.region;
  const scene = useMemo(
    () => ({ hours, timeZone, unit: forecast.unit, now, issuedAt: Date.parse(forecast.issued_at), isSimulated, isNarrow: !isWide }),
    [hours, timeZone, forecast.unit, forecast.issued_at, now, isSimulated, isWide],
  );
  const found = chosenHour === null ? -1 : hours.findIndex(({ start }) => start === chosenHour);
  const selected = found >= 0 ? found : hourToStartWith(hours, now);

  const hasDoubts = hours.some(({ doubts }) => doubts.length > 0);
  const save = (): void =>
    download(`watthour-${forecast.region.id}-${forecast.day}.csv`, toCsv(CSV_HEADER, csvRows(all, isSimulated)));

  return (
    <Card
      aria-label="Demand hour by hour"
      title="Hour by hour"
      note={`Energy of each hour in ${forecast.unit}`}
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
        <HoursTable hours={all} timeZone={timeZone} unit={forecast.unit} />
      ) : (
        <>
          <Readout hour={hours[selected]} timeZone={timeZone} unit={forecast.unit} isSimulated={isSimulated} hasDoubts={hasDoubts} />
          <ForecastPicture scene={scene} selected={selected} onSelect={(index) => setHour(hours[index]?.start ?? null)} />
          <div className="mt-3">
            <Choice label="Span" value={span} options={SPANS} onChange={setSpan} />
          </div>
        </>
      )}
      {forecast.scores_of_day ? <DayScores rows={forecast.scores_of_day.rows} day={forecast.day} /> : null}
    </Card>
  );
}
