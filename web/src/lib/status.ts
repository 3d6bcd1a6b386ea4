import { queryOptions } from '@tanstack/react-query';

import { status } from '@/client';
import { unwrap } from '@/lib/problem';

const MINUTE_MS = 60_000;

/** What this installation knows, and what time it is there. */
export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => unwrap(status({ signal })),
  refetchInterval: MINUTE_MS,
});
