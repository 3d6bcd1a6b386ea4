import { ChartSpline, Download, Table2 } from 'lucide-react';
import { type ReactElement, useMemo, useState } from 'react';

import { Picture } from '@/charts/Picture';
import type { GridHistory } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { download, toCsv } from '@/lib/csv';
import { formatNumber, formatQuantity } from '@/lib/numbers';

import { reliabilityDrawing, verdictOf } from './historyDrawing';

const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /><span className="sr-only">Picture of levels</span></> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /><span className="sr-only">Table of levels</span></> },
] as const;

interface ReliabilityCardProps {
  history: GridHistory;
  /** What the intervals counted are called: `hours`. */
  intervals: string;
}

/** Whether the bands kept their word: what was promised against what came. */
export function ReliabilityCard({ history, intervals }: ReliabilityCardProps): ReactElement {
  const { reliability, region } = history;
  const { rows } = reliability;
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const [selected, setSelected] = useState<number | null>(null);
  const drawing = useMemo(() => reliabilityDrawing(reliability), [reliability]);
  const places = useMemo(() => rows.map(({ level_percent }) => level_percent), [rows]);
  const index = Math.min(rows.length - 1, selected ?? rows.length - 1);
  const here = rows[index];
  const dots = useMemo(() => (here ? [{ panel: 'reliability', y: here.below_percent, colour: 'load-forecast' as const }] : []), [here]);
  const words = here
    ? `Level ${formatQuantity(here.level_percent, '%')}: ${formatQuantity(here.below_percent, '%', 1)} of the readings at or below it`
    : '';
  return (
    <Card
      title="Reliability of the bands"
      note={rows.length > 0 ? verdictOf(reliability, intervals) : undefined}
      actions={
        rows.length > 0 ? (
          <>
            <Choice label="Show reliability as" value={view} options={VIEWS} onChange={setView} />
            <Button
              square
              look="quiet"
              aria-label="Download levels as CSV"
              title="Download CSV"
              onClick={() =>
                download(
                  `watthour-${region}-reliability.csv`,
                  toCsv(
                    ['level_percent', 'below_percent', 'n'],
                    rows.map(({ level_percent, below_percent }) => [level_percent, below_percent, reliability.n]),
                  ),
                )
              }
            >
              <Download aria-hidden className="size-5" />
            </Button>
          </>
        ) : null
      }
    >
      {rows.length === 0 ? (
        <p className="text-muted py-6">Nothing to show yet: this needs forecasts of a trained model and the readings that followed.</p>
      ) : view === 'table' ? (
        <Table aria-label="Levels and readings">
          <thead>
            <tr>
              <Head className="text-left" unit="%">
                Level
              </Head>
              <Head unit="%">Readings at or below</Head>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ level_percent, below_percent }) => (
              <tr key={level_percent}>
                <RowHead>{formatNumber(level_percent)}</RowHead>
                <Value>{formatNumber(below_percent, 1)}</Value>
              </tr>
            ))}
          </tbody>
        </Table>
      ) : (
        <>
          <p className="text-small mb-2 min-h-5 font-medium">{words}</p>
          <Picture
            label="Chart of the levels; arrow keys choose one"
            drawing={drawing}
            places={places}
            selected={Math.max(0, index)}
            onSelect={setSelected}
            spoken={words}
            dots={dots}
            page={3}
            canZoom={false}
            className="h-64"
          />
          <p className="text-small text-muted mt-1">Level of the forecast. The dotted line is where every point should be.</p>
        </>
      )}
    </Card>
  );
}
