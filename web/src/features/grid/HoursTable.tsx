import type { ReactElement } from 'react';

import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { type Hour, dayOf, doubtsInWords } from './hours';
import { formatNumber } from '@/lib/numbers';

interface HoursTableProps {
  hours: readonly Hour[];
  timeZone: string;
  unit: string;
}

function ofDays(hours: readonly Hour[], timeZone: string): [string, Hour[]][] {
  const days = new Map<string, Hour[]>();
  for (const hour of hours) {
    const day = dayOf(hour, timeZone).replace(/ \(.*\)$/, '');
    days.set(day, [...(days.get(day) ?? []), hour]);
  }
  return [...days];
}

function Row({ hour }: { hour: Hour }): ReactElement {
  return (
    <tr data-time={new Date(hour.start).toISOString()}>
      <RowHead>{hour.label}</RowHead>
      <Value>{formatNumber(hour.forecast)}</Value>
      <Value>{formatNumber(hour.lower)}</Value>
      <Value>{formatNumber(hour.upper)}</Value>
      <Value>{formatNumber(hour.operator)}</Value>
      <Value>
        {hour.doubts.length > 0 ? (
          <span className="text-warn" title={doubtsInWords(hour.doubts)}>
            <span aria-hidden>◇ </span>
            {formatNumber(hour.actual)}
            <span className="sr-only"> doubted: {doubtsInWords(hour.doubts)}</span>
          </span>
        ) : (
          formatNumber(hour.actual)
        )}
      </Value>
      <Value>{formatNumber(hour.naive)}</Value>
    </tr>
  );
}

/** The chart in numbers, hour by hour. */
export function HoursTable({ hours, timeZone, unit }: HoursTableProps): ReactElement {
  const [anyHour] = hours;
  const zone = anyHour ? dayOf(anyHour, timeZone).replace(/^.*\((.*)\)$/, '$1') : timeZone;
  return (
    <Table aria-label="Demand by hour" boxClassName="max-h-128">
      <thead className="sticky top-0 z-10">
        <tr>
          <Head className="text-left">Hour ({zone})</Head>
          <Head>Forecast ({unit})</Head>
          <Head>5 % below ({unit})</Head>
          <Head>95 % below ({unit})</Head>
          <Head>Operator ({unit})</Head>
          <Head>Actual ({unit})</Head>
          <Head>Last week ({unit})</Head>
        </tr>
      </thead>
      {ofDays(hours, timeZone).map(([day, itsHours]) => (
        <tbody key={day}>
          <tr>
            <th scope="rowgroup" colSpan={7} className="border-line border-b pt-4 pb-1.5 text-left font-semibold">
              {day}
            </th>
          </tr>
          {itsHours.map((hour) => (
            <Row key={hour.start} hour={hour} />
          ))}
        </tbody>
      ))}
    </Table>
  );
}
