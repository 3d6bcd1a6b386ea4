/** How numbers are written: grouped, with the decimals that matter, and a real minus sign. */

const NOTHING = '–';

function formatter(decimals: number): Intl.NumberFormat {
  return new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

const byDecimals = new Map<number, Intl.NumberFormat>([0, 1, 2, 3].map((decimals) => [decimals, formatter(decimals)]));

/** How many decimals show values of this size to three digits or more; the command line writes as many. */
export function digitsFor(values: readonly (number | null | undefined)[]): number {
  const largest = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
  return largest >= 100 ? 0 : largest >= 10 ? 1 : largest >= 1 ? 2 : 3;
}

/** A number without its unit, for a column whose head names it; a gap is a dash, never a zero. */
export function formatNumber(value: number | null | undefined, decimals = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const written = (byDecimals.get(decimals) ?? formatter(decimals)).format(value);
  return /[1-9]/.test(written) ? written.replace('-', '−') : written.replace('-', '');
}

/** A number with its unit, kept on one line. */
export function formatQuantity(value: number | null | undefined, unit: string, decimals = 0): string {
  const written = formatNumber(value, decimals);
  return written === NOTHING ? NOTHING : `${written}\u00a0${unit}`;
}

/** As formatNumber, but a gain shows its plus. */
export function formatSigned(value: number | null | undefined, decimals = 0): string {
  const written = formatNumber(value, decimals);
  return value !== null && value !== undefined && value > 0 && /[1-9]/.test(written) ? `+${written}` : written;
}
