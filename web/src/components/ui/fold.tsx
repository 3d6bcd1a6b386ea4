import type { ReactElement, ReactNode } from 'react';

import { cn } from '@/lib/cn';

interface FoldProps {
  title: ReactNode;
  className?: string;
  children: ReactNode;
}

/** What is shown when it is asked for; its title is high enough for a thumb. */
export function Fold({ title, className, children }: FoldProps): ReactElement {
  return (
    <details className={cn('text-small', className)}>
      <summary className="text-muted cursor-pointer py-2 pointer-coarse:py-3">{title}</summary>
      {children}
    </details>
  );
}
