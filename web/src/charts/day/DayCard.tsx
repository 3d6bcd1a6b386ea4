import { ChartSpline, Download, Table2 } from 'lucide-react';
import { type ReactElement, type ReactNode, useMemo, useState } from 'react';

import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { download, toCsv } from '@/lib/csv';

import { ForecastPicture } from './ForecastPicture';
import { IntervalsTable } from './IntervalsTable';
import { Readout } from './Readout';
import type { Scene } from './forecastDrawing';
import { type Format, type Interval, csvHeader, csvRows } from './intervals';

const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /> Picture</> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /> Table</> },
] as const;

/** What the numbers of a unit are, over the length of an interval. */
function meaningOf(unit: string): string {
  if (/^[kMG]?Wh$/.test(unit)) return 'Energy of';
  return /^[kMG]?W$/.test(unit) ? 'Mean power of' : 'Values of';
}

interface DayCardProps {
  title: ReactNode;
  /** What is drawn. */
  intervals: readonly Interval[];
  /** All of them, for the table and the file; without them, what is drawn. */
  all?: readonly Interval[] | undefined;
  format: Format;
  now: number;
  /** When the forecast shown was made; null where there are several. */
  issuedAt: number | null;
  isSimulated: boolean;
  /** What is chosen before anybody chooses. */
  start: number;
  label: string;
  /** Name of the file, without its ending. */
  file: string;
  table?: ReactElement | undefined;
  /** Stands below the picture, and below the table. */
  controls?: ReactNode;
  /** Said above the picture and the table. */
  lead?: ReactNode;
  children?: ReactNode;
}

/** Days with their forecast as a picture, as a table and as a file. */
export function DayCard({ title, intervals, all = intervals, format, now, issuedAt, isSimulated, start, label, file, table, controls, lead, children }: DayCardProps): ReactElement {
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const [chosenStart, setStart] = useState<number | null>(null);
  const scene = useMemo((): Scene => ({ intervals, format, now, issuedAt, isSimulated }), [intervals, format, now, issuedAt, isSimulated]);
  const found = chosenStart === null ? -1 : intervals.findIndex((interval) => interval.start === chosenStart);
  const selected = found >= 0 ? found : start;
  const hasDoubts = intervals.some(({ doubts }) => doubts.length > 0);
  const save = (): void => download(`${file}.csv`, toCsv(csvHeader(format), csvRows(all, format, isSimulated)));
  return (
    <Card
      title={title}
      note={`${meaningOf(format.unit)} ${format.step.each} in ${view === 'table' ? format.unit : format.shownIn.unit}`}
      actions={
        <>
          <Choice label="Show as" value={view} options={VIEWS} onChange={setView} />
          <Button square look="quiet" aria-label="Download CSV" title="Download CSV" onClick={save}>
            <Download aria-hidden className="size-5" />
          </Button>
        </>
      }
    >
      {lead}
      {view === 'table' ? (
        <>
          {table ?? <IntervalsTable intervals={all} format={format} />}
          {controls ? <div className="mt-3">{controls}</div> : null}
        </>
      ) : (
        <>
          <Readout interval={intervals[selected]} format={format} isSimulated={isSimulated} hasDoubts={hasDoubts} />
          <ForecastPicture scene={scene} label={label} selected={selected} onSelect={(index) => setStart(intervals[index]?.start ?? null)} controls={controls} />
        </>
      )}
      {children}
    </Card>
  );
}
