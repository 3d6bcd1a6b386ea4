/** Sentences that name options of the command line, said in the words of what can be chosen on the page. */
import { ApiProblem } from '@/lib/problem';

interface Choosable {
  label: string;
  options?: readonly { value: string; label: string }[];
}

const OPTION = /`?--(no-)?([a-z]+(?:-[a-z]+)*)(?: ([\w/]+))?`?/g;

/** `Use --decimal comma.` becomes `Use “Decimal mark: Comma (1.234,5)”.`; what cannot be chosen there stays as it is. */
export function onThePage(text: string, choosable: Readonly<Record<string, Choosable>>): string {
  return text.replaceAll(OPTION, (said: string, no: string | undefined, name: string, value: string | undefined) => {
    const found = choosable[name.replaceAll('-', '_')];
    if (!found) return said;
    const meant = found.options?.some((option) => option.value === 'yes' || option.value === 'no') ? (no ? 'no' : 'yes') : value;
    const chosen = found.options?.find((option) => option.value === meant);
    const rest = value === undefined || meant === value ? '' : ` ${value}`;
    return chosen ? `“${found.label}: ${chosen.label}”${rest}` : `“${found.label}”${value === undefined ? '' : ` ${value}`}`;
  });
}

/** A problem with its cure in these words. */
export function problemOnThePage(error: unknown, choosable: Readonly<Record<string, Choosable>>): unknown {
  if (!(error instanceof ApiProblem)) return error;
  const { title, detail, remedy, status, field, value } = error;
  return new ApiProblem(title, onThePage(detail, choosable), remedy === null ? null : onThePage(remedy, choosable), status, field, value);
}
