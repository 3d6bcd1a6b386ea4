import { queryOptions } from '@tanstack/react-query';

import { type NewHome, holidayCalendars, homeForecast, newHome, places } from '@/client';
import { AHEAD_HOURS } from '@/charts/day/ahead';
import { ApiProblem, unwrap } from '@/lib/problem';

const ASK_AGAIN_MS = 15_000;
const TOO_LITTLE = new Set([400, 404, 409]);

/** The towns that a name can mean. */
export const lookUp = (name: string) => unwrap(places({ query: { name } }));

export const addHome = (body: NewHome) => unwrap(newHome({ body }));

/** Adds a home by coordinates, or by its time zone alone, with the calendar of holidays that is likely where its clock is kept. */
export async function addHomeAt(home: { name: string; time_zone: string; latitude: number | null; longitude: number | null }) {
  const { likely } = await unwrap(holidayCalendars({ query: { time_zone: home.time_zone } }));
  return addHome({ ...home, holidays: likely });
}

/** What can be said of tomorrow, or why nothing can yet. */
export const aheadQuery = (home: string) =>
  queryOptions({
    queryKey: ['homes', home, 'start'],
    queryFn: async ({ signal }) => {
      try {
        return { ahead: await unwrap(homeForecast({ path: { home }, query: { hours: AHEAD_HOURS }, signal })), tooLittle: null };
      } catch (error) {
        if (error instanceof ApiProblem && error.status !== null && TOO_LITTLE.has(error.status)) return { ahead: null, tooLittle: error };
        throw error;
      }
    },
    refetchInterval: ASK_AGAIN_MS,
    staleTime: 0,
  });
