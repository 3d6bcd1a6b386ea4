import { Download } from 'lucide-react';
import type { ReactElement } from 'react';

import type { CarbonForecast, CarbonScore } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { type Cell, download, toCsv, unitSuffix } from '@/lib/csv';
import { digitsFor, formatNumber } from '@/lib/numbers';

const PERSISTENCE = 'persistence';

function csvOf({ scores, series }: CarbonForecast): string {
  const cells = scores.rows.map(({ model, lead_hours, n, mae, mape_percent, coverage90_percent }): Cell[] => [model, lead_hours, n, mae, mape_percent, coverage90_percent]);
  return toCsv(['model', 'lead_hours', 'n', `mae_${unitSuffix(series.unit)}`, 'mape_percent', 'coverage90_percent'], cells);
}

/** How far ours was from what came, against taking yesterday again. */
export function againstPersistence(rows: readonly CarbonScore[]): string | null {
  const of = (name: string): CarbonScore | undefined => rows.find(({ model, lead_hours }) => model === name && lead_hours === 'all');
  const [ours, naive] = [of('ours')?.mae, of(PERSISTENCE)?.mae];
  if (ours === undefined || ours === null || !naive) return null;
  const gain = 100 * (1 - ours / naive);
  return `Its error was ${formatNumber(Math.abs(gain))}\u00a0% ${gain >= 0 ? 'smaller' : 'larger'} than that of taking the day before again.`;
}

const LEADS: Record<string, string> = { all: 'All hours ahead' };

/** How good the forecasts have been, never without those we compete with. */
export function ScoresCard({ forecast }: { forecast: CarbonForecast }): ReactElement {
  const { scores, series, region } = forecast;
  const { rows } = scores;
  const digits = digitsFor(rows.map(({ mae }) => mae));
  const leads = [...new Set(rows.map(({ lead_hours }) => lead_hours))];
  const words = againstPersistence(rows);
  return (
    <Card
      title="How good the forecasts were"
      note={`the last ${scores.days} days`}
      actions={
        rows.length > 0 ? (
          <Button square look="quiet" aria-label="Download scores as CSV" title="Download CSV" onClick={() => download(`watthour-${region}-carbon-scores.csv`, csvOf(forecast))}>
            <Download aria-hidden className="size-5" />
          </Button>
        ) : null
      }
    >
      {rows.length === 0 ? (
        <p className="text-muted py-6">Nothing to score yet: a score needs a forecast and what came after it. The first ones appear within a day, or right after training.</p>
      ) : (
        <>
          {words ? <p className="mb-2 font-medium">{words}</p> : null}
          <Table aria-label="Scores of the carbon forecasts" boxClassName="max-h-96">
            <thead>
              <tr>
                <Head className="sticky top-0 text-left">Forecast</Head>
                <Head unit={series.unit} className="sticky top-0">
                  Mean error
                </Head>
                <Head unit="%" className="sticky top-0">
                  MAPE
                </Head>
                <Head unit="%" className="sticky top-0">
                  Inside band
                </Head>
              </tr>
            </thead>
            {leads.map((lead) => {
              const here = rows.filter(({ lead_hours }) => lead_hours === lead);
              const lowest = Math.min(...here.map(({ mae }) => mae ?? Infinity));
              return (
                <tbody key={lead}>
                  <tr>
                    <th scope="rowgroup" colSpan={4} className="border-line border-b pt-3 pb-1.5 text-left font-semibold first:pl-4 sm:first:pl-5">
                      {LEADS[lead] ?? `${lead.replace('-', ' to ')} hours ahead`}
                    </th>
                  </tr>
                  {here.map(({ model, label, mae, mape_percent, coverage90_percent }) => (
                    <tr key={model} className={cn(mae === lowest && 'font-semibold')}>
                      <RowHead className={cn(mae === lowest && 'font-semibold')}>{label}</RowHead>
                      <Value>{formatNumber(mae, digits)}</Value>
                      <Value>{formatNumber(mape_percent, 1)}</Value>
                      <Value>{formatNumber(coverage90_percent, 1)}</Value>
                    </tr>
                  ))}
                </tbody>
              );
            })}
          </Table>
          <p className="text-small text-muted mt-2">{scores.protocol}</p>
        </>
      )}
    </Card>
  );
}
