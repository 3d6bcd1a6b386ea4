import { ChevronDown } from 'lucide-react';
import { Collapsible } from 'radix-ui';
import type { ReactElement } from 'react';

import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { formatNumber } from '@/lib/numbers';
import { formatShortDay, zoneAbbreviation } from '@/lib/time';

import { LINE_NAMES } from './forecastOption';
import { type Hour, doubtsInWords } from './hours';

interface HoursTableProps {
  hours: readonly Hour[];
  timeZone: string;
  unit: string;
}

function byDay(hours: readonly Hour[], timeZone: string): [string, Hour[]][] {
  const days = new Map<string, Hour[]>();
  for (const hour of hours) {
    const day = formatShortDay(hour.start, timeZone);
    days.set(day, [...(days.get(day) ?? []), hour]);
  }
  return [...days];
}

/** `EST`, or both on a day whose clock changes. */
function zonesOf(hours: readonly Hour[], timeZone: string): string {
  return [...new Set(hours.map(({ start }) => zoneAbbreviation(start, timeZone)))].join(', ');
}

function Actual({ hour }: { hour: Hour }): ReactElement {
  if (hour.doubts.length === 0) return <>{formatNumber(hour.actual)}</>;
  const doubts = doubtsInWords(hour.doubts);
  return (
    <span className="text-warn" title={doubts}>
      <span aria-hidden>◇ </span>
      {formatNumber(hour.actual)}
      <span className="sr-only"> doubted: {doubts}</span>
    </span>
  );
}

function range({ lower, upper }: Hour): string {
  return lower === null || upper === null ? formatNumber(null) : `${formatNumber(lower)}–${formatNumber(upper)}`;
}

function DayTable({ hours, timeZone, unit }: HoursTableProps): ReactElement {
  return (
    <Table aria-label="Demand of the day by hour">
      <thead>
        <tr>
          <Head className="text-left" unit={zonesOf(hours, timeZone)}>
            Hour
          </Head>
          <Head unit={unit}>{LINE_NAMES.forecast}</Head>
          <Head unit={unit}>90 % sure</Head>
          <Head unit={unit}>{LINE_NAMES.operator}</Head>
          <Head unit={unit}>{LINE_NAMES.actual}</Head>
          <Head unit={unit}>{LINE_NAMES.naive}</Head>
        </tr>
      </thead>
      <tbody>
        {hours.map((hour) => (
          <tr key={hour.start} data-time={new Date(hour.start).toISOString()}>
            <RowHead className="whitespace-nowrap">{hour.label}</RowHead>
            <Value>{formatNumber(hour.forecast)}</Value>
            <Value>{range(hour)}</Value>
            <Value>{formatNumber(hour.operator)}</Value>
            <Value>
              <Actual hour={hour} />
            </Value>
            <Value>{formatNumber(hour.naive)}</Value>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function KnownTable({ hours, timeZone, unit }: HoursTableProps): ReactElement {
  return (
    <Table aria-label="Demand known before">
      <thead>
        <tr>
          <Head className="text-left" unit={zonesOf(hours, timeZone)}>
            Hour
          </Head>
          <Head unit={unit}>{LINE_NAMES.actual}</Head>
        </tr>
      </thead>
      {byDay(hours, timeZone).map(([day, itsHours]) => (
        <tbody key={day}>
          <tr>
            <th scope="rowgroup" colSpan={2} className="border-line border-b pt-4 pb-1.5 text-left font-semibold">
              {day}
            </th>
          </tr>
          {itsHours.map((hour) => (
            <tr key={hour.start} data-time={new Date(hour.start).toISOString()}>
              <RowHead className="whitespace-nowrap">{hour.label}</RowHead>
              <Value>
                <Actual hour={hour} />
              </Value>
            </tr>
          ))}
        </tbody>
      ))}
    </Table>
  );
}

/** The chart in numbers: the day first, the hours known before it below. */
export function HoursTable({ hours, timeZone, unit }: HoursTableProps): ReactElement {
  const known = hours.filter(({ part }) => part === 'known');
  return (
    <>
      <DayTable hours={hours.filter(({ part }) => part === 'day')} timeZone={timeZone} unit={unit} />
      {known.length > 0 ? (
        <Collapsible.Root className="mt-2">
          <Collapsible.Trigger className="text-small text-accent group rounded-control inline-flex h-10 items-center gap-1 font-medium">
            <ChevronDown aria-hidden className="size-4 transition-transform group-data-[state=open]:rotate-180" />
            The {known.length} hours known before
          </Collapsible.Trigger>
          <Collapsible.Content>
            <KnownTable hours={known} timeZone={timeZone} unit={unit} />
          </Collapsible.Content>
        </Collapsible.Root>
      ) : null}
    </>
  );
}
