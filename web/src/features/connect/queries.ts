import { queryOptions } from '@tanstack/react-query';

import { type ImportedRows, holidayCalendars, importFile } from '@/client';
import { unwrap } from '@/lib/problem';

/** What a person says of a table; what is left out is recognised. The names are those of the API. */
export interface Choices {
  site?: string;
  time_zone?: string;
  unit?: string;
  time_column?: string;
  value_column?: string;
  date_order?: string;
  decimal?: string;
  named_by?: string;
  /** interval, counter or samples. */
  meter?: string;
  /** yes: energy is also fed in; no: negative values are refused. */
  solar?: string;
  /** Code of a calendar; empty: none. */
  holidays?: string;
}

export interface Upload {
  file: File;
  choices: Choices;
}

/** Every calendar of holidays, and the likely one where this clock is kept. */
export function holidaysQuery(timeZone: string) {
  return queryOptions({
    queryKey: ['holidays', timeZone],
    queryFn: ({ signal }) => unwrap(holidayCalendars({ query: { time_zone: timeZone }, signal })),
    staleTime: Infinity,
  });
}

/** Says what would be brought in, and what is still open; nothing is kept. */
export function preview({ file, choices }: Upload): Promise<ImportedRows> {
  return unwrap(importFile({ body: { file, ...choices, dry_run: true } }));
}

/** Brings a file into the store; asking twice changes nothing. */
export function upload({ file, choices }: Upload): Promise<ImportedRows> {
  return unwrap(importFile({ body: { file, ...choices } }));
}
