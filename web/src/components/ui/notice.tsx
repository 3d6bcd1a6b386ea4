import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';

import { cn } from '@/lib/cn';

const LOOKS = {
  info: { box: 'bg-accent-wash border-accent/30', icon: Info, tint: 'text-accent' },
  warn: { box: 'bg-warn-wash border-warn/35', icon: TriangleAlert, tint: 'text-warn' },
  bad: { box: 'bg-bad-wash border-bad/35', icon: CircleAlert, tint: 'text-bad' },
};

interface NoticeProps {
  look?: keyof typeof LOOKS;
  title?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  role?: 'alert' | 'status' | 'note';
  className?: string;
}

/** Something to know before reading on: a word and an icon, the colour only underlines it. */
export function Notice({ look = 'info', title, children, actions, role = 'note', className }: NoticeProps): ReactElement {
  const { box, icon: Icon, tint } = LOOKS[look];
  return (
    <div role={role} className={cn('rounded-card flex items-start gap-3 border px-4 py-3', box, className)}>
      <Icon aria-hidden className={cn('mt-0.5 size-5 shrink-0', tint)} />
      <div className="min-w-0 flex-1">
        {title ? <p className="font-semibold">{title}</p> : null}
        {children ? <div className="text-small wrap-anywhere">{children}</div> : null}
        {actions ? <div className="mt-2 flex flex-wrap gap-2">{actions}</div> : null}
      </div>
    </div>
  );
}
