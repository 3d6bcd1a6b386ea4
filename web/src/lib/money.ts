/** How money is written. */
import { formatQuantity, formatSigned } from '@/lib/numbers';

/** As many decimals as the currency has: two of EUR, none of JPY. */
function decimalsOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** `1.62 EUR`; a gap is a dash. */
export function formatMoney(value: number | null | undefined, currency: string): string {
  return formatQuantity(value, currency, decimalsOf(currency));
}

/** A number for a column whose head names the currency. */
export function formatAmount(value: number | null | undefined, currency: string): string {
  return formatQuantity(value, '', decimalsOf(currency)).trimEnd();
}

/** As `formatAmount`, with a plus where it is a gain. */
export function formatGain(value: number | null | undefined, currency: string): string {
  return formatSigned(value, decimalsOf(currency));
}

/** `0.61 kg`. */
export function formatCarbon(kg: number | null | undefined): string {
  return formatQuantity(kg, 'kg', Math.abs(kg ?? 0) >= 100 ? 0 : Math.abs(kg ?? 0) >= 10 ? 1 : 2);
}

interface Said {
  words: string;
  isLess: boolean;
}

/** Whether a written size rounds to nought; of `0.00 kg` it does. */
export function isNought(written: string): boolean {
  return !/[1-9]/.test(written);
}

function said(value: number | null, written: (size: number) => string): Said | null {
  if (value === null || isNought(written(Math.abs(value)))) return null;
  return { words: `${written(Math.abs(value))} ${value > 0 ? 'less' : 'more'}`, isLess: value > 0 };
}

/** How one plan stands beside another, `0.29 EUR less and 0.50 kg less CO2`; null where they are the same. */
export function differenceInWords(less: { money: number | null; carbonKg: number | null }, currency: string): string | null {
  const money = said(less.money, (value) => formatMoney(value, currency));
  const carbon = said(less.carbonKg, formatCarbon);
  if (money && carbon) return `${money.words} ${money.isLess === carbon.isLess ? 'and' : 'but'} ${carbon.words} CO2`;
  return money?.words ?? (carbon ? `${carbon.words} CO2` : null);
}
