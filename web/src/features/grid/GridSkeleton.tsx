import type { ReactElement } from 'react';

import { Card } from '@/components/ui/card';
import { Skeleton } from '@/components/ui/skeleton';

/** As high as what replaces it, so that nothing jumps. */
export function GridSkeleton(): ReactElement {
  return (
    <div role="status" aria-label="Loading the forecast" className="grid gap-5">
      <div>
        <Skeleton className="h-9 w-full max-w-3xl" />
        <Skeleton className="mt-2 h-9 w-2/3 max-w-2xl" />
        <Skeleton className="mt-3 h-5 w-full max-w-xl" />
      </div>
      <Card>
        <Skeleton className="mb-3 h-12 w-48" />
        <Skeleton className="mb-2 h-44 w-full sm:h-10" />
        <Skeleton className="h-88 w-full sm:h-108" />
        <Skeleton className="mt-2 h-10 w-48" />
      </Card>
    </div>
  );
}

export function DataSkeleton(): ReactElement {
  return (
    <div role="status" aria-label="Loading the age of the data">
      <Card>
        <Skeleton className="mb-3 h-6 w-24" />
        <Skeleton className="h-64 w-full" />
      </Card>
    </div>
  );
}

export function ScoresSkeleton(): ReactElement {
  return (
    <div role="status" aria-label="Loading the scores">
      <Card>
        <Skeleton className="mb-3 h-12 w-64" />
        <Skeleton className="h-40 w-full" />
      </Card>
    </div>
  );
}
