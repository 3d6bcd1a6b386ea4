/** The hours ahead and the past of a carbon series, as the picture and the table of days read them. */
import { EMPTY, type Format, type Interval, doubtsOf, placer } from '@/charts/day/intervals';
import type { CarbonForecast, CarbonHistory } from '@/client';
import { digitsFor } from '@/lib/numbers';
import { stepOf } from '@/lib/step';

type Series = Pick<CarbonForecast, 'series' | 'time_zone'>;

export function formatOf({ series, time_zone: timeZone }: Series, values: readonly (number | null)[]): Format {
  const digits = digitsFor(values);
  return {
    step: stepOf(series.resolution_seconds),
    timeZone,
    unit: series.unit,
    digits,
    shownIn: { unit: series.unit, divisor: 1, digits },
    rivals: [],
    hasDayAhead: false,
    hasTemperature: false,
    quantity: 'carbon',
    usual: { name: 'Usual', column: 'usual' },
  };
}

/** What was measured since an instant, then what is forecast. */
export function intervalsOf(forecast: CarbonForecast, past: CarbonHistory | undefined, from: number, to: number): Interval[] {
  const begins = Date.parse(forecast.points[0]?.time ?? '9999');
  const known = (past?.points ?? []).filter(({ time }) => Date.parse(time) >= from && Date.parse(time) < begins);
  const points = forecast.points.filter(({ time }) => Date.parse(time) < to);
  const place = placer([...known, ...points], { time_zone: forecast.time_zone, resolution_seconds: forecast.series.resolution_seconds });
  return [
    ...known.map((row): Interval => Object.assign({}, EMPTY, place(row), { part: 'known' as const, actual: row.value, flags: row.quality, doubts: doubtsOf(row.quality) })),
    ...points.map((row): Interval => Object.assign({}, EMPTY, place(row), { part: 'day' as const, forecast: row.value, lower: row.lower, upper: row.upper, naive: row.usual })),
  ];
}

/** The past alone. */
export function pastOf(past: CarbonHistory): Interval[] {
  const place = placer(past.points, { time_zone: past.time_zone, resolution_seconds: past.series.resolution_seconds });
  return past.points.map((row): Interval => Object.assign({}, EMPTY, place(row), { part: 'day' as const, actual: row.value, flags: row.quality, doubts: doubtsOf(row.quality) }));
}
