import { ChevronDown } from 'lucide-react';
import { Collapsible } from 'radix-ui';
import type { ReactElement } from 'react';

import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { formatNumber } from '@/lib/numbers';
import { DAY_MS, HOUR_MS, formatClock, formatShortDay, zoneAbbreviation } from '@/lib/time';

import { lineNames } from './forecastDrawing';
import { type Format, type Interval, doubtsInWords, rivalName, shownRange } from './intervals';

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

function TimeHead({ intervals, format }: IntervalsProps): ReactElement {
  return (
    <Head className="sticky top-0 left-0 z-2 text-left" unit={zonesOf(intervals, format.timeZone)}>
      {format.step.head}
    </Head>
  );
}

function DayTable({ intervals, format, label }: IntervalsProps & { label: string }): ReactElement {
  const { unit, digits, rivals, hasDayAhead, hasTemperature } = format;
  const names = lineNames(format);
  const heads = [names.forecast, '90 % interval', ...rivals.map(rivalName), names.actual, names.naive, ...(hasDayAhead ? [names.dayAhead] : [])];
  return (
    <Table aria-label={label} boxClassName={boxOf(intervals)}>
      <thead>
        <tr>
          <TimeHead intervals={intervals} format={format} />
          {heads.map((name) => (
            <Head key={name} unit={unit} className="sticky top-0 z-1">
              {name}
            </Head>
          ))}
          {hasTemperature ? (
            <Head unit="°C" className="sticky top-0 z-1">
              Temperature
            </Head>
          ) : null}
        </tr>
      </thead>
      <tbody>
        {intervals.map((interval) => (
          <Row key={interval.start} interval={interval} format={format}>
            <>
              <Value>{formatNumber(interval.forecast, digits)}</Value>
              <Value>{shownRange(interval.lower, interval.upper, (value) => formatNumber(value, digits))}</Value>
              {rivals.map((rival) => (
                <Value key={rival}>{formatNumber(interval.rivals[rival], digits)}</Value>
              ))}
              <Value>
                <Actual interval={interval} digits={digits} />
              </Value>
              <Value>{formatNumber(interval.naive, digits)}</Value>
              {hasDayAhead ? <Value>{formatNumber(interval.dayAhead, digits)}</Value> : null}
              {hasTemperature ? <Value>{formatNumber(interval.temperature, 1)}</Value> : null}
            </>
          </Row>
        ))}
      </tbody>
    </Table>
  );
}

/** What was measured, day by day. */
export function KnownTable({ intervals, format, label = 'Readings known before' }: IntervalsProps & { label?: string }): ReactElement {
  const isDaily = format.step.ms === DAY_MS;
  return (
    <Table aria-label={label} boxClassName={boxOf(intervals)}>
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

/** The chart in numbers: the day first, tomorrow and the rest of today where they are in it, the known past below. */
export function IntervalsTable({ intervals, format }: IntervalsProps): ReactElement {
  const of = (part: Interval['part']): Interval[] => intervals.filter((interval) => interval.part === part);
  const { many } = format.step;
  return (
    <>
      <DayTable intervals={of('day')} format={format} label="The day in numbers" />
      <More name={`The {n} ${many} after it`} intervals={of('after')}>
        <DayTable intervals={of('after')} format={format} label="The day after in numbers" />
      </More>
      <More name={`The {n} ${many} between`} intervals={of('until')}>
        <DayTable intervals={of('until')} format={format} label="Up to the day in numbers" />
      </More>
      <More name={`The {n} ${many} known before`} intervals={of('known')}>
        <KnownTable intervals={of('known')} format={format} />
      </More>
    </>
  );
}

/** Several days in numbers. */
export function WeekTable({ intervals, format, label = 'The week in numbers' }: IntervalsProps & { label?: string }): ReactElement {
  const isDaily = format.step.ms === DAY_MS;
  const labelled = isDaily ? intervals : intervals.map((interval) => Object.assign({}, interval, { label: `${formatShortDay(interval.start, format.timeZone)}, ${interval.label}` }));
  return <DayTable intervals={labelled} format={format} label={label} />;
}

function More({ name, intervals, children }: { name: string; intervals: readonly Interval[]; children: ReactElement }): ReactElement | null {
  if (intervals.length === 0) return null;
  return (
    <Collapsible.Root className="mt-2">
      <Collapsible.Trigger className="text-small text-accent group rounded-control flex h-10 items-center gap-1 font-medium">
        <ChevronDown aria-hidden className="size-4 transition-transform group-data-[state=open]:rotate-180" />
        {name.replace('{n}', String(intervals.length))}
      </Collapsible.Trigger>
      <Collapsible.Content>{children}</Collapsible.Content>
    </Collapsible.Root>
  );
}
