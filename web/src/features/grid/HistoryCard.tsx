import { ChartSpline, Download, Table2 } from 'lucide-react';
import { type ReactElement, useMemo, useState } from 'react';

import { Picture } from '@/charts/Picture';
import type { GridHistory } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { type Cell, download, toCsv, unitSuffix } from '@/lib/csv';
import { digitsFor, formatQuantity } from '@/lib/numbers';
import { formatDay } from '@/lib/time';

import { errorOf, historyDrawing, lookOf, measureOf, middayOf } from './historyDrawing';

const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /> Picture{' '}<span className="sr-only">of errors</span></> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /> Table{' '}<span className="sr-only">of errors</span></> },
] as const;

export const HISTORY_DAYS = [30, 90] as const;
export type HistoryDays = (typeof HISTORY_DAYS)[number];

function csvOf({ days, unit }: GridHistory): string {
  const rows = days.flatMap(({ day, rows: ofDay }) => ofDay.map(({ model, mae, mape_percent }): Cell[] => [day, model, mae, mape_percent]));
  return toCsv(['day', 'model', `mae_${unitSuffix(unit)}`, 'mape_percent'], rows);
}

interface HistoryCardProps {
  history: GridHistory;
  days: HistoryDays;
  onDays: (days: HistoryDays) => void;
}

/** How far off everybody was, day by day. */
export function HistoryCard({ history, days, onDays }: HistoryCardProps): ReactElement {
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const [chosen, setChosen] = useState<string | null>(null);
  const measure = measureOf(history);
  const drawing = useMemo(() => historyDrawing(history), [history]);
  const places = useMemo(() => history.days.map(({ day }) => middayOf(day)), [history]);
  const digits = measure.isPercent ? 2 : digitsFor(history.days.flatMap(({ rows }) => rows.map(({ mae }) => mae)));
  const lastScored = history.days.findLastIndex(({ rows }) => rows.length > 0);
  const found = chosen === null ? -1 : history.days.findIndex(({ day }) => day === chosen);
  const selected = found >= 0 ? found : Math.max(0, lastScored);
  const here = history.days[selected];
  const valueOf = (model: string): string => formatQuantity(here ? errorOf(here, model, measure) : null, measure.unit, digits);
  const dots = useMemo(() => {
    const day = history.days[selected];
    return history.models.flatMap(({ model }) => {
      const y = day ? errorOf(day, model, measureOf(history)) : null;
      return y === null ? [] : [{ panel: 'error', y, colour: lookOf(model).colour }];
    });
  }, [history, selected]);
  const spoken = here ? [formatDay(here.day), ...history.models.map(({ model, label }) => `${label} ${valueOf(model)}`)].join(', ') : '';
  return (
    <Card
      title="Errors day by day"
      note={`${measure.name} of the day-ahead forecasts, in ${measure.unit}`}
      actions={
        <>
          <Choice
            label="Days of the history"
            value={String(days)}
            options={HISTORY_DAYS.map((count) => ({ value: String(count), label: <>{count} days{' '}<span className="sr-only">of errors</span></> }))}
            onChange={(wanted) => onDays(HISTORY_DAYS.find((count) => String(count) === wanted) ?? days)}
          />
          <Choice label="Show errors as" value={view} options={VIEWS} onChange={setView} />
          <Button
            square
            look="quiet"
            aria-label="Download errors as CSV"
            title="Download CSV"
            onClick={() => download(`watthour-${history.region}-errors.csv`, csvOf(history))}
          >
            <Download aria-hidden className="size-5" />
          </Button>
        </>
      }
    >
      {lastScored < 0 ? (
        <p className="text-muted py-6">
          No errors yet: a day is scored when it was forecast the day before and nearly all of it has been measured. The first scored day appears after one full
          day, or right after training.
        </p>
      ) : view === 'table' ? (
        <Table aria-label="Errors of each day" boxClassName="max-h-96 border-line border-b">
          <thead>
            <tr>
              <Head className="sticky top-0 left-0 z-2 text-left">Day</Head>
              {history.models.map(({ model, label }) => (
                <Head key={model} unit={measure.unit} className="sticky top-0 z-1">
                  {label}
                </Head>
              ))}
            </tr>
          </thead>
          <tbody>
            {history.days.map((day) => (
              <tr key={day.day}>
                <RowHead className="whitespace-nowrap">{day.day}</RowHead>
                {history.models.map(({ model }) => (
                  <Value key={model}>{formatQuantity(errorOf(day, model, measure), '', digits).trim()}</Value>
                ))}
              </tr>
            ))}
          </tbody>
        </Table>
      ) : (
        <>
          <dl className="text-small mb-2 grid grid-cols-2 gap-x-4 gap-y-1.5 sm:grid-cols-[repeat(auto-fit,minmax(6.75rem,1fr))]">
            <div>
              <dt className="text-muted">Day</dt>
              <dd className="font-semibold">{here ? formatDay(here.day).replace(/ \d{4}$/, '') : '–'}</dd>
            </div>
            {history.models.map(({ model, label }) => (
              <div key={model} className="min-w-0">
                <dt className="text-muted">{label}</dt>
                <dd className="font-medium whitespace-nowrap">{valueOf(model)}</dd>
              </div>
            ))}
          </dl>
          <Picture
            label="Chart of the errors; arrow keys choose a day"
            drawing={drawing}
            places={places}
            selected={selected}
            onSelect={(index) => setChosen(history.days[index]?.day ?? null)}
            spoken={spoken}
            dots={dots}
            page={7}
            className="h-56"
          />
        </>
      )}
    </Card>
  );
}
