import type { ReactElement } from 'react';

import { cn } from '@/lib/cn';

/** Holds the place of something on its way; give it the size of what will come. */
export function Skeleton({ className }: { className?: string }): ReactElement {
  return <div aria-hidden className={cn('bg-sunken rounded-control animate-pulse', className)} />;
}
