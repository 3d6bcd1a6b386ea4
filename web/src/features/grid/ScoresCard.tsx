import { ChevronDown, Download } from 'lucide-react';
import { Collapsible } from 'radix-ui';
import type { ReactElement } from 'react';

import type { GridScores, ScoreRow } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { type Cell, download, toCsv, unitSuffix } from '@/lib/csv';
import { digitsFor, formatNumber, formatSigned } from '@/lib/numbers';

export const SCORE_DAYS = [7, 30, 90] as const;
export type ScoreDays = (typeof SCORE_DAYS)[number];

/** One row per model and lead time; errors are in the unit of the channel. */
function csvOf({ rows, unit }: GridScores): string {
  const suffix = unitSuffix(unit);
  const header = [
    'model',
    'lead_hours',
    'n',
    `mae_${suffix}`,
    'mape_percent',
    `bias_${suffix}`,
    `rmse_${suffix}`,
    'coverage90_percent',
    'skill_percent',
    `winkler90_${suffix}`,
  ];
  const cells = rows.map((row): Cell[] => [
    row.model,
    row.lead_hours,
    row.n,
    row.mae,
    row.mape_percent,
    row.bias,
    row.rmse,
    row.coverage90_percent,
    row.skill_percent,
    row.winkler90,
  ]);
  return toCsv(header, cells);
}

function best(rows: readonly ScoreRow[]): number {
  return Math.min(...rows.map(({ mae }) => mae));
}

interface TableProps {
  rows: readonly ScoreRow[];
  unit: string;
  /** Decimals of an error. */
  digits: number;
}

function ScoreHeads({ first, unit }: { first: string; unit: string }): ReactElement {
  return (
    <thead>
      <tr>
        <Head className="text-left">{first}</Head>
        <Head unit="%">MAPE</Head>
        <Head unit={unit}>MAE</Head>
        <Head unit={unit}>Bias</Head>
        <Head unit="%">Inside band</Head>
        <Head unit="%">Skill</Head>
      </tr>
    </thead>
  );
}

function ScoreRows({ rows, digits }: { rows: readonly ScoreRow[]; digits: number }): ReactElement[] {
  const lowest = best(rows);
  return rows.map((row) => (
    <tr key={row.model} className={cn(row.mae === lowest && 'font-semibold')}>
      <RowHead className={cn(row.mae === lowest && 'font-semibold')}>{row.label}</RowHead>
      <Value>{formatNumber(row.mape_percent, 2)}</Value>
      <Value>{formatNumber(row.mae, digits)}</Value>
      <Value>{formatSigned(row.bias, digits)}</Value>
      <Value>{formatNumber(row.coverage90_percent, 1)}</Value>
      <Value>{formatSigned(row.skill_percent, 1)}</Value>
    </tr>
  ));
}

function Overall({ rows, unit, digits }: TableProps): ReactElement {
  return (
    <Table aria-label="Scores over all lead times">
      <ScoreHeads first="Forecast" unit={unit} />
      <tbody>
        <ScoreRows rows={rows} digits={digits} />
      </tbody>
    </Table>
  );
}

const LEADS: Record<string, string> = { all: 'All hours ahead' };

/** The same figures for each block of hours ahead. */
function ByLead({ rows, unit, digits }: TableProps): ReactElement {
  const leads = [...new Set(rows.map(({ lead_hours }) => lead_hours))];
  return (
    <Table aria-label="Scores by lead time">
      <ScoreHeads first="Lead time" unit={unit} />
      {leads.map((lead) => (
        <tbody key={lead}>
          <tr>
            <th scope="rowgroup" colSpan={6} className="border-line border-b pt-3 pb-1.5 text-left font-semibold first:pl-4 sm:first:pl-5">
              {LEADS[lead] ?? `${lead.replace('-', ' to ')} hours ahead`}
            </th>
          </tr>
          <ScoreRows rows={rows.filter(({ lead_hours }) => lead_hours === lead)} digits={digits} />
        </tbody>
      ))}
    </Table>
  );
}

interface ScoresCardProps {
  scores: GridScores;
  /** What the intervals scored are called: `hours`. */
  intervals: string;
  days: ScoreDays;
  onDays: (days: ScoreDays) => void;
}

/** How well we did, never without those we compete with. */
export function ScoresCard({ scores, intervals, days, onDays }: ScoresCardProps): ReactElement {
  // Of a price it counts what was known while bids were taken; all hours ahead stand below.
  const first = scores.rows.some(({ lead_hours }) => lead_hours === 'auction') ? 'auction' : 'all';
  const overall = scores.rows.filter(({ lead_hours }) => lead_hours === first);
  const byLead = scores.rows.filter(({ lead_hours }) => lead_hours !== first);
  const scored = Math.max(0, ...overall.map(({ n }) => n));
  const look = { unit: scores.unit, digits: digitsFor(scores.rows.map(({ mae }) => mae)) };
  return (
    <Card
      title="How good the forecasts were"
      note={`${scores.window.start} to ${scores.window.end}, ${formatNumber(scored)} ${intervals}${first === 'auction' ? ', as forecast before the auction closed' : ''}`}
      actions={
        <>
          <Choice
            label="Days scored"
            value={String(days)}
            options={SCORE_DAYS.map((count) => ({ value: String(count), label: `${count} days` }))}
            onChange={(chosen) => onDays(SCORE_DAYS.find((count) => String(count) === chosen) ?? days)}
          />
          <Button
            square
            look="quiet"
            aria-label="Download scores as CSV"
            title="Download CSV"
            onClick={() => download(`watthour-${scores.region}-scores.csv`, csvOf(scores))}
          >
            <Download aria-hidden className="size-5" />
          </Button>
        </>
      }
    >
      {overall.length === 0 ? (
        <p className="text-muted py-6">
          Nothing to score on these days: a score needs a forecast and the measured values. Choose more days, or come back later.
        </p>
      ) : (
        <>
          <Overall rows={overall} {...look} />
          <p className="text-small text-muted mt-2">
            Bold is the smallest error; inside band is the share of {intervals} within the 90 % band. {scores.protocol}
          </p>
          {byLead.length > 0 ? (
            <Collapsible.Root className="mt-2">
              <Collapsible.Trigger className="text-small text-accent group rounded-control inline-flex h-10 items-center gap-1 font-medium">
                <ChevronDown aria-hidden className="size-4 transition-transform group-data-[state=open]:rotate-180" />
                By lead time
              </Collapsible.Trigger>
              <Collapsible.Content>
                <ByLead rows={byLead} {...look} />
              </Collapsible.Content>
            </Collapsible.Root>
          ) : null}
        </>
      )}
    </Card>
  );
}
