import { queryOptions } from '@tanstack/react-query';

import { train, training } from '@/client';
import { unwrap } from '@/lib/problem';

const LOOK_MS = 2000;

/** How far the training of a site is; looked at again while it or what follows it runs. */
export function trainingQuery(region: string) {
  return queryOptions({
    queryKey: ['training', region],
    queryFn: ({ signal }) => unwrap(training({ query: { region }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === 'running' || state.data?.step ? LOOK_MS : false),
  });
}

/** Begins a training; a second one is refused while one runs. */
export function begin(region: string) {
  return unwrap(train({ query: { region } }));
}
