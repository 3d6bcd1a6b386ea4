import { ChevronDown } from 'lucide-react';
import { Collapsible } from 'radix-ui';
import type { ReactElement } from 'react';

import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { formatNumber } from '@/lib/numbers';
import { DAY_MS, HOUR_MS, formatClock, formatShortDay, zoneAbbreviation } from '@/lib/time';

import { lineNames } from './forecastOption';
import { type Format, type Interval, doubtsInWords, rivalName } from './intervals';

interface IntervalsProps {
  intervals: readonly Interval[];
  format: Format;
}

/** From so many rows on a table scrolls in a box of its own, under a head that stays. */
const MANY_ROWS = 30;
const boxOf = (intervals: readonly Interval[]): string => (intervals.length > MANY_ROWS ? 'border-line max-h-[75svh] border-b' : '');

function byDay(intervals: readonly Interval[], timeZone: string): [string, Interval[]][] {
  const days = new Map<string, Interval[]>();
  for (const interval of intervals) {
    const day = formatShortDay(interval.start, timeZone);
    days.set(day, [...(days.get(day) ?? []), interval]);
  }
  return [...days];
}

/** `EST`, or both on a day whose clock changes. */
function zonesOf(intervals: readonly Interval[], timeZone: string): string {
  return [...new Set(intervals.map(({ start }) => zoneAbbreviation(start, timeZone)))].join(', ');
}

/** Shorter intervals than hours have a line under each full hour alone. */
function rowClass({ start, end }: Interval, { timeZone }: Format): string | undefined {
  const isWithinHour = end - start < HOUR_MS && !formatClock(end, timeZone).endsWith(':00');
  return isWithinHour ? '*:border-b-transparent' : undefined;
}

function Row({ interval, format, children }: { interval: Interval; format: Format; children: ReactElement }): ReactElement {
  return (
    <tr data-time={new Date(interval.start).toISOString()} className={cn(rowClass(interval, format))}>
      <RowHead className="bg-surface sticky left-0 whitespace-nowrap">{interval.label}</RowHead>
      {children}
    </tr>
  );
}

function Actual({ interval, digits }: { interval: Interval; digits: number }): ReactElement {
  if (interval.doubts.length === 0) return <>{formatNumber(interval.actual, digits)}</>;
  const doubts = doubtsInWords(interval.doubts);
  return (
    <span className="text-warn" title={doubts}>
      <span aria-hidden>◇ </span>
      {formatNumber(interval.actual, digits)}
      <span className="sr-only"> doubted: {doubts}</span>
    </span>
  );
}

function range({ lower, upper }: Interval, digits: number): string {
  return lower === null || upper === null ? formatNumber(null) : `${formatNumber(lower, digits)}–${formatNumber(upper, digits)}`;
}

function TimeHead({ intervals, format }: IntervalsProps): ReactElement {
  return (
    <Head className="sticky top-0 left-0 z-2 text-left" unit={zonesOf(intervals, format.timeZone)}>
      {format.step.head}
    </Head>
  );
}

function DayTable({ intervals, format }: IntervalsProps): ReactElement {
  const { unit, digits, rivals } = format;
  const names = lineNames(format);
  const heads = [names.forecast, '90 % interval', ...rivals.map(rivalName), names.actual, names.naive];
  return (
    <Table aria-label="The day in numbers" boxClassName={boxOf(intervals)}>
      <thead>
        <tr>
          <TimeHead intervals={intervals} format={format} />
          {heads.map((name) => (
            <Head key={name} unit={unit} className="sticky top-0 z-1">
              {name}
            </Head>
          ))}
        </tr>
      </thead>
      <tbody>
        {intervals.map((interval) => (
          <Row key={interval.start} interval={interval} format={format}>
            <>
              <Value>{formatNumber(interval.forecast, digits)}</Value>
              <Value>{range(interval, digits)}</Value>
              {rivals.map((rival) => (
                <Value key={rival}>{formatNumber(interval.rivals[rival], digits)}</Value>
              ))}
              <Value>
                <Actual interval={interval} digits={digits} />
              </Value>
              <Value>{formatNumber(interval.naive, digits)}</Value>
            </>
          </Row>
        ))}
      </tbody>
    </Table>
  );
}

function KnownTable({ intervals, format }: IntervalsProps): ReactElement {
  const isDaily = format.step.ms === DAY_MS;
  return (
    <Table aria-label="Readings known before" boxClassName={boxOf(intervals)}>
      <thead>
        <tr>
          <TimeHead intervals={intervals} format={format} />
          <Head unit={format.unit} className="sticky top-0 z-1">
            {lineNames(format).actual}
          </Head>
        </tr>
      </thead>
      {byDay(intervals, format.timeZone).map(([day, itsIntervals]) => (
        <tbody key={day}>
          {isDaily ? null : (
            <tr>
              <th scope="rowgroup" colSpan={2} className="border-line border-b pt-4 pb-1.5 text-left font-semibold first:pl-4 sm:first:pl-5">
                {day}
              </th>
            </tr>
          )}
          {itsIntervals.map((interval) => (
            <Row key={interval.start} interval={interval} format={format}>
              <Value>
                <Actual interval={interval} digits={format.digits} />
              </Value>
            </Row>
          ))}
        </tbody>
      ))}
    </Table>
  );
}

/** The chart in numbers: the day first, the intervals known before it below. */
export function IntervalsTable({ intervals, format }: IntervalsProps): ReactElement {
  const known = intervals.filter(({ part }) => part === 'known');
  return (
    <>
      <DayTable intervals={intervals.filter(({ part }) => part === 'day')} format={format} />
      {known.length > 0 ? (
        <Collapsible.Root className="mt-2">
          <Collapsible.Trigger className="text-small text-accent group rounded-control inline-flex h-10 items-center gap-1 font-medium">
            <ChevronDown aria-hidden className="size-4 transition-transform group-data-[state=open]:rotate-180" />
            The {known.length} {format.step.many} known before
          </Collapsible.Trigger>
          <Collapsible.Content>
            <KnownTable intervals={known} format={format} />
          </Collapsible.Content>
        </Collapsible.Root>
      ) : null}
    </>
  );
}
