import { queryOptions } from '@tanstack/react-query';

import { carbonRegions } from '@/client';
import { unwrap } from '@/lib/problem';

/** The regions whose carbon intensity is known, real ones first. */
export const carbonRegionsQuery = queryOptions({
  queryKey: ['carbon', 'regions'],
  queryFn: ({ signal }) => unwrap(carbonRegions({ signal })),
});
