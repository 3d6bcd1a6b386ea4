import { QueryClient } from '@tanstack/react-query';

import { ApiProblem } from '@/lib/problem';

const HALF_MINUTE_MS = 30_000;

/** Asks again only where asking again can help: no answer, or a server in trouble. */
function isWorthRetrying(failures: number, error: Error): boolean {
  const status = error instanceof ApiProblem ? error.status : null;
  return failures < 2 && (status === null || status >= 500);
}

export function makeQueryClient(): QueryClient {
  // A browser that has no network may yet reach a server on the same machine, and the service worker answers always.
  const networkMode = 'always';
  return new QueryClient({ defaultOptions: { queries: { staleTime: HALF_MINUTE_MS, retry: isWorthRetrying, networkMode }, mutations: { networkMode } } });
}
