import type { ReactElement, ReactNode } from 'react';

import type { HomeSavings, SavingsRow } from '@/client';
import { Badge } from '@/components/ui/badge';
import { Card } from '@/components/ui/card';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { formatAmount, formatGain } from '@/lib/money';
import { formatNumber, formatSigned } from '@/lib/numbers';
import { formatClock, formatShortDay, localDay } from '@/lib/time';

import { nameOf, whenOf } from './words';

const TITLES = { run: 'Run by run', day: 'Day by day', month: 'Month by month' };
const KG_DIGITS = 2;

/** `02:15`, with the day where it is another one than that of the row. */
function startOf(start: string | null | undefined, { start: begun }: SavingsRow, timeZone: string): string {
  if (!start) return '–';
  const at = Date.parse(start);
  const isSameDay = localDay(at, timeZone) === localDay(Date.parse(begun), timeZone);
  return `${isSameDay ? '' : `${formatShortDay(at, timeZone)}, `}${formatClock(at, timeZone)}`;
}

function Name({ row, savings }: { row: SavingsRow; savings: HomeSavings }): ReactElement {
  const { by, time_zone: timeZone } = savings;
  return (
    <RowHead className="bg-surface sticky left-0 max-w-44 min-w-32">
      <span className="wrap-anywhere">{nameOf(row, by)}</span>{' '}
      <span className="text-muted block font-normal">{by === 'run' ? whenOf(row, timeZone) : `${row.n_runs} ${row.n_runs === 1 ? 'run' : 'runs'}`}</span>{' '}
      {row.is_estimated ? <Badge className="hatched">estimated</Badge> : null}{' '}
      {row.remark ? <span className="text-muted block font-normal">{row.remark}</span> : null}
    </RowHead>
  );
}

interface CellsProps {
  row: SavingsRow;
  savings: HomeSavings;
}

function Cells({ row, savings }: CellsProps): ReactElement {
  const { currency, by, time_zone: timeZone } = savings;
  return (
    <>
      <Value>{formatGain(row.saved_money, currency)}</Value>
      <Value>{formatSigned(row.saved_carbon_kg, KG_DIGITS)}</Value>
      <Value>{formatGain(row.saved_usual_money, currency)}</Value>
      <Value>{formatSigned(row.saved_usual_carbon_kg, KG_DIGITS)}</Value>
      <Value>{formatAmount(row.cost, currency)}</Value>
      <Value>{formatAmount(row.at_once.cost, currency)}</Value>
      <Value>{formatAmount(row.usual?.cost, currency)}</Value>
      <Value>{formatAmount(row.regret_money, currency)}</Value>
      <Value>{formatNumber(row.energy_kwh, KG_DIGITS)}</Value>
      <Value>{formatNumber(row.shifted_kwh, KG_DIGITS)}</Value>
      {by === 'run' ? (
        <>
          <Value>{startOf(row.planned_start, row, timeZone)}</Value>
          <Value>{startOf(row.at_once.start, row, timeZone)}</Value>
          <Value>{startOf(row.usual?.start, row, timeZone)}</Value>
        </>
      ) : null}
    </>
  );
}

/** The runs, or their sums of days or months, the newest first; what is not known is a dash. */
export function RowsTable({ savings, actions }: { savings: HomeSavings; actions: ReactNode }): ReactElement {
  const { rows, total, currency, by } = savings;
  const head = 'sticky top-0 z-1';
  const columns: readonly (readonly [string, string?])[] = [
    ['Saved', currency],
    ['Less carbon', 'kg CO2'],
    ['Saved, to habit', currency],
    ['Less carbon, to habit', 'kg CO2'],
    ['Cost', currency],
    ['At once', currency],
    ['By habit', currency],
    ['Missed', currency],
    ['Energy', 'kWh'],
    ['Shifted', 'kWh'],
    ...(by === 'run' ? ([['Planned for'], ['At once it began'], ['Usual begin']] as const) : []),
  ];
  return (
    <Card title={TITLES[by]} note="saved against starting at once, and against your usual habit" actions={actions}>
      <Table aria-label="Savings in numbers" boxClassName="max-h-[75svh]">
        <thead>
          <tr>
            <Head className="sticky top-0 left-0 z-2 text-left">{by === 'run' ? 'Run' : by === 'day' ? 'Day' : 'Month'}</Head>
            {columns.map(([name, unit]) => (
              <Head key={name} className={head} {...(unit ? { unit } : {})}>
                {name}
              </Head>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.toReversed().map((row) => (
            <tr key={`${row.kind} ${row.name ?? ''} ${row.start}`} data-day={row.day}>
              <Name row={row} savings={savings} />
              <Cells row={row} savings={savings} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="font-semibold">
            <RowHead className="bg-surface sticky left-0 font-semibold">All</RowHead>
            <Cells row={total} savings={savings} />
          </tr>
        </tfoot>
      </Table>
    </Card>
  );
}
