import { Download } from 'lucide-react';
import type { ReactElement } from 'react';

import type { CarbonBestWindow, CarbonDifference, CarbonRun } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { SelectField } from '@/components/ui/field';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { type Cell, download, toCsv, unitSuffix } from '@/lib/csv';
import { digitsFor, formatNumber } from '@/lib/numbers';
import { formatClock, formatShortDay, localDay } from '@/lib/time';

import type { Wish } from './queries';

const DURATIONS = [
  ['30min', '30 minutes'],
  ['1h', '1 hour'],
  ['2h', '2 hours'],
  ['3h', '3 hours'],
  ['4h', '4 hours'],
  ['6h', '6 hours'],
  ['8h', '8 hours'],
] as const;
const DEADLINES = [
  ['07:00', 'by 07:00'],
  ['12:00', 'by 12:00'],
  ['18:00', 'by 18:00'],
  ['22:00', 'by 22:00'],
  ['12h', 'within 12 hours'],
  ['24h', 'within 24 hours'],
  ['48h', 'within 2 days'],
  ['96h', 'within 4 days'],
] as const;

interface Row {
  name: string;
  run: CarbonRun;
  less: CarbonDifference | null;
}

function rowsOf({ best, at_once, saving, runner_up, ahead_of_runner_up }: CarbonBestWindow): Row[] {
  const isNow = at_once?.start === best.start;
  return [
    { name: isNow ? 'Best: at once' : 'Best', run: best, less: null },
    ...(at_once && !isNow ? [{ name: 'At once', run: at_once, less: saving }] : []),
    ...(runner_up && runner_up.start !== at_once?.start ? [{ name: 'Runner-up', run: runner_up, less: ahead_of_runner_up }] : []),
  ];
}

function csvOf(found: CarbonBestWindow): string {
  const suffix = unitSuffix(found.series.unit);
  const cells = rowsOf(found).map(({ name, run, less }): Cell[] => [name, run.start, run.local_start, run.end, run.mean, less?.value, less?.lower, less?.upper, less?.probability]);
  return toCsv(['run', 'start_utc', 'local_start', 'end_utc', `mean_${suffix}`, `best_is_lower_by_${suffix}`, `lower90_${suffix}`, `upper90_${suffix}`, 'probability'], cells);
}

/** `Mon 23 Nov, 02:00–05:00`; the day is left out where it is today. */
function spanOf({ start, end }: CarbonRun, timeZone: string, now: number): string {
  const [from, to] = [Date.parse(start), Date.parse(end)];
  const day = localDay(from, timeZone) === localDay(now, timeZone) ? '' : `${formatShortDay(from, timeZone)}, `;
  return `${day}${formatClock(from, timeZone)}–${formatClock(to, timeZone)}`;
}

function Runs({ found, now }: { found: CarbonBestWindow; now: number }): ReactElement {
  const { unit } = found.series;
  const rows = rowsOf(found);
  const digits = digitsFor(rows.map(({ run }) => run.mean));
  const range = ({ lower, upper }: CarbonDifference): string => (lower === null || upper === null ? '–' : `${formatNumber(lower, digits)} to ${formatNumber(upper, digits)}`);
  return (
    <Table aria-label="Best times for the run">
      <thead>
        <tr>
          <Head className="text-left">Run</Head>
          <Head unit={unit}>Mean</Head>
          <Head unit={unit}>The best is lower by</Head>
          <Head unit={unit}>90 % interval</Head>
          <Head unit="%">Probability</Head>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, run, less }, index) => (
          <tr key={name}>
            <RowHead className={cn(index === 0 && 'font-semibold')}>
              {name} <span className="block font-normal whitespace-nowrap">{spanOf(run, found.time_zone, now)}</span>
            </RowHead>
            <Value>{formatNumber(run.mean, digits)}</Value>
            <Value>{formatNumber(less?.value, digits)}</Value>
            <Value>{less ? range(less) : '–'}</Value>
            <Value>{formatNumber(less?.probability === null || less === null ? null : 100 * less.probability)}</Value>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

interface WindowCardProps {
  found: CarbonBestWindow | undefined;
  wish: Wish;
  onWish: (wish: Wish) => void;
  /** Why there is no answer. */
  problem: ReactElement | null;
  now: number;
}

/** When a run of a length would be cleanest, by a time. */
export function WindowCard({ found, wish, onWish, problem, now }: WindowCardProps): ReactElement {
  return (
    <Card
      title="Best time for a run"
      note="the least expected carbon, against starting at once"
      actions={
        found ? (
          <Button square look="quiet" aria-label="Download best times as CSV" title="Download CSV" onClick={() => download(`watthour-${found.region}-best-window.csv`, csvOf(found))}>
            <Download aria-hidden className="size-5" />
          </Button>
        ) : null
      }
    >
      <div className="mb-3 grid grid-cols-[repeat(auto-fit,minmax(9rem,1fr))] gap-3 sm:max-w-md">
        <SelectField label="It takes" value={wish.duration} options={DURATIONS} onChange={({ target }) => onWish({ ...wish, duration: target.value })} />
        <SelectField label="It must be done" value={wish.until} options={DEADLINES} onChange={({ target }) => onWish({ ...wish, until: target.value })} />
      </div>
      {problem}
      {found ? <Runs found={found} now={now} /> : null}
      {found && found.certainty === 'unsure' ? <p className="text-small text-muted mt-2">No difference is sure: below two chances in three that waiting is cleaner, starting at once may be as good.</p> : null}
    </Card>
  );
}
