import { ChevronDown, Download } from 'lucide-react';
import { Collapsible } from 'radix-ui';
import type { ReactElement } from 'react';

import type { GridScores, ScoreRow } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { type Cell, download, toCsv } from '@/lib/csv';
import { formatNumber, formatSigned } from '@/lib/numbers';

export const SCORE_DAYS = [7, 30, 90] as const;
export type ScoreDays = (typeof SCORE_DAYS)[number];

const CSV_HEADER = [
  'model',
  'lead_hours',
  'n',
  'mae_mwh',
  'mape_percent',
  'bias_mwh',
  'rmse_mwh',
  'coverage90_percent',
  'skill_percent',
] as const satisfies readonly (keyof ScoreRow)[];

function best(rows: readonly ScoreRow[]): number {
  return Math.min(...rows.map(({ mae_mwh }) => mae_mwh));
}

function Overall({ rows, unit }: { rows: readonly ScoreRow[]; unit: string }): ReactElement {
  const lowest = best(rows);
  return (
    <Table aria-label="Scores over all lead times">
      <thead>
        <tr>
          <Head className="text-left">Forecast</Head>
          <Head unit="%">MAPE</Head>
          <Head unit={unit}>MAE</Head>
          <Head unit={unit}>Bias</Head>
          <Head unit="%">Inside band</Head>
          <Head unit="%">Skill</Head>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.model} className={cn(row.mae_mwh === lowest && 'font-semibold')}>
            <RowHead className={cn(row.mae_mwh === lowest && 'font-semibold')}>{row.label}</RowHead>
            <Value>{formatNumber(row.mape_percent, 2)}</Value>
            <Value>{formatNumber(row.mae_mwh)}</Value>
            <Value>{formatSigned(row.bias_mwh)}</Value>
            <Value>{formatNumber(row.coverage90_percent, 1)}</Value>
            <Value>{formatSigned(row.skill_percent, 1)}</Value>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function ByLead({ rows, unit }: { rows: readonly ScoreRow[]; unit: string }): ReactElement {
  const models = [...new Map(rows.map(({ model, label }) => [model, label]))];
  const leads = [...new Set(rows.map(({ lead_hours }) => lead_hours))];
  return (
    <Table aria-label="Mean absolute error by lead time">
      <thead>
        <tr>
          <Head className="text-left" unit="h">Lead time</Head>
          {models.map(([model, label]) => (
            <Head key={model} unit={unit}>
              {label}
            </Head>
          ))}
        </tr>
      </thead>
      <tbody>
        {leads.map((lead) => {
          const ofLead = rows.filter(({ lead_hours }) => lead_hours === lead);
          return (
            <tr key={lead}>
              <RowHead className="whitespace-nowrap">{lead.replace('-', '–')}</RowHead>
              {models.map(([model]) => {
                const row = ofLead.find((candidate) => candidate.model === model);
                return (
                  <Value key={model} className={cn(row?.mae_mwh === best(ofLead) && 'font-semibold')}>
                    {formatNumber(row?.mae_mwh)}
                  </Value>
                );
              })}
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}

interface ScoresCardProps {
  scores: GridScores;
  days: ScoreDays;
  onDays: (days: ScoreDays) => void;
}

/** How well we did, never without those we compete with. */
export function ScoresCard({ scores, days, onDays }: ScoresCardProps): ReactElement {
  const overall = scores.rows.filter(({ lead_hours }) => lead_hours === 'all');
  const byLead = scores.rows.filter(({ lead_hours }) => lead_hours !== 'all');
  const hours = Math.max(0, ...overall.map(({ n }) => n));
  const rows: Cell[][] = scores.rows.map((row) => CSV_HEADER.map((column) => row[column]));
  return (
    <Card
      title="How good the forecasts were"
      note={`${scores.window.start} to ${scores.window.end}, ${formatNumber(hours)} hours`}
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
            onClick={() => download(`watthour-${scores.region}-scores.csv`, toCsv(CSV_HEADER, rows))}
          >
            <Download aria-hidden className="size-5" />
          </Button>
        </>
      }
    >
      {overall.length === 0 ? (
        <p className="text-muted py-6">
          Nothing to score in these days: a score needs a forecast and the demand that followed. Choose more days, or come back when there is more.
        </p>
      ) : (
        <>
          <Overall rows={overall} unit={scores.unit} />
          <p className="text-small text-muted mt-2">
            Bold is the smallest error; inside band is the share of hours within the 90 % band. {scores.protocol}
          </p>
          {byLead.length > 0 ? (
            <Collapsible.Root className="mt-2">
              <Collapsible.Trigger className="text-small text-accent group rounded-control inline-flex h-10 items-center gap-1 font-medium">
                <ChevronDown aria-hidden className="size-4 transition-transform group-data-[state=open]:rotate-180" />
                By lead time
              </Collapsible.Trigger>
              <Collapsible.Content>
                <ByLead rows={byLead} unit={scores.unit} />
              </Collapsible.Content>
            </Collapsible.Root>
          ) : null}
        </>
      )}
    </Card>
  );
}
