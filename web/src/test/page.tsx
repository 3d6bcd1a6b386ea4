/** Opens the whole app at an address, over a server that is only a table of answers. */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';

import { makeQueryClient } from '@/app/queries';
import { makeRouter } from '@/app/router';
import { client } from '@/client/client.gen';
// Pages are fetched when they are opened; a test on a busy machine should not wait for that.
import '@/features/carbon';
import '@/features/connect';
import '@/features/devices';
import '@/features/grid';
import '@/features/home';
import '@/features/plan';
import '@/features/savings';
import '@/features/sites';
import '@/features/sources';
import '@/features/start';
import '@/features/train';

import { type SiteName, makeForecast, makeHistory, makeScores, makeStatus, makeWeek } from './fixtures';

export type Answers = Record<string, (request: Request) => unknown>;

export function problem(status: number, body: object): Response {
  return new Response(JSON.stringify({ status, ...body }), { status, headers: { 'Content-Type': 'application/problem+json' } });
}

/** What a server answers that knows this one site. */
export function answersOf(site: SiteName): Answers {
  return {
    '/api/v1/status': () => makeStatus({ site }),
    [`/api/v1/grid/${site}/forecast`]: ({ url }) => {
      const day = new URL(url).searchParams.get('day');
      return makeForecast(day ? { site, day, isPast: true } : { site });
    },
    [`/api/v1/grid/${site}/scores`]: () => makeScores({ site }),
    [`/api/v1/grid/${site}/week`]: ({ url }) => makeWeek({ site, end: new URL(url).searchParams.get('end') ?? '2026-11-22' }),
    [`/api/v1/grid/${site}/history`]: ({ url }) => makeHistory({ site, days: Number(new URL(url).searchParams.get('days') ?? 30) }),
  };
}

/** Every request the page made, as `GET /api/v1/status`. */
export function openPage(address: string, answers: Answers = {}): string[] {
  const all: Answers = { ...answersOf('ny'), ...answers };
  const requests: string[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    requests.push(`${request.method} ${pathname}${search}`);
    const answer = (await all[pathname]?.(request)) ?? problem(404, { title: 'Nothing here', detail: pathname });
    return answer instanceof Response ? answer : Response.json(answer);
  };
  client.setConfig({ baseUrl: 'http://watthour.test', fetch: fetch as unknown as typeof globalThis.fetch });
  window.history.replaceState({}, '', address);
  const queries = makeQueryClient();
  queries.setDefaultOptions({ queries: { ...queries.getDefaultOptions().queries, retry: false } });
  render(
    <QueryClientProvider client={queries}>
      <RouterProvider router={makeRouter(queries)} />
    </QueryClientProvider>,
  );
  return requests;
}
