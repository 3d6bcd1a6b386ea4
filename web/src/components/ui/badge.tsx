import type { ReactElement, ReactNode } from 'react';

import { cn } from '@/lib/cn';

const LOOKS = {
  plain: 'bg-sunken text-muted',
  warn: 'bg-warn-wash text-warn',
  bad: 'bg-bad-wash text-bad',
  good: 'bg-sunken text-good',
  accent: 'bg-accent-wash text-accent',
};

interface BadgeProps {
  look?: keyof typeof LOOKS;
  children: ReactNode;
  className?: string;
}

export function Badge({ look = 'plain', children, className }: BadgeProps): ReactElement {
  return (
    <span className={cn('text-small inline-flex items-center gap-1 rounded-md px-2 font-medium whitespace-nowrap', LOOKS[look], className)}>
      {children}
    </span>
  );
}
