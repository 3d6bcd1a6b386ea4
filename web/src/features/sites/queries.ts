import { queryOptions } from '@tanstack/react-query';

import { changedSite, holidayCalendars, newSite, removedSite, sites, type NewSite, type SiteChange } from '@/client';
import { unwrap } from '@/lib/problem';

export const sitesQuery = queryOptions({
  queryKey: ['sites'],
  queryFn: ({ signal }) => unwrap(sites({ signal })),
});

/** Every calendar of holidays, and the likely one where this clock is kept. */
export function holidaysQuery(timeZone: string) {
  return queryOptions({
    queryKey: ['holidays', timeZone],
    queryFn: ({ signal }) => unwrap(holidayCalendars({ query: { time_zone: timeZone }, signal })),
    staleTime: Infinity,
  });
}

export const addSite = (body: NewSite) => unwrap(newSite({ body }));

export const changeSite = (site: string, body: SiteChange) => unwrap(changedSite({ path: { site }, body }));

export const removeSite = (site: string, withReadings: boolean) => unwrap(removedSite({ path: { site }, query: { delete_readings: withReadings } }));
