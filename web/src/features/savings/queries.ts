import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { homeSavings } from '@/client';
import { liveKeys } from '@/lib/live';
import { unwrap } from '@/lib/problem';

const FIVE_MINUTES_MS = 300_000;

export type By = 'run' | 'day' | 'month';

/** Local days, both included; what is null is as the server has it: from the first of the month until now. */
export interface Span {
  start: string | null;
  end: string | null;
}

function questionOf({ start, end }: Span, by: By): { by: By; start?: string; end?: string } {
  return { by, ...(start === null ? {} : { start }), ...(end === null ? {} : { end }) };
}

/** What was done, beside what it is compared with; brought up to date when readings come in. */
export const savingsQuery = (home: string, span: Span, by: By) =>
  queryOptions({
    queryKey: [...liveKeys(home).readings, 'savings', by, span.start, span.end],
    queryFn: ({ signal }) => unwrap(homeSavings({ path: { home }, query: questionOf(span, by), signal })),
    refetchInterval: FIVE_MINUTES_MS,
    placeholderData: keepPreviousData,
  });

/** Where the same rows are as a file. */
export function fileOf(home: string, span: Span, by: By): string {
  return `/api/v1/homes/${encodeURIComponent(home)}/savings.csv?${new URLSearchParams({ ...questionOf(span, by) }).toString()}`;
}
