import type { ReactElement, ReactNode } from 'react';

import { Notice } from '@/components/ui/notice';

/** Stands above everything whose numbers are invented. */
export function SimulatedBanner({ children }: { children?: ReactNode }): ReactElement {
  return (
    <Notice look="warn" role="status" title="Simulated: every number here is invented" className="hatched">
      It shows how Watthour works; nothing here was measured. {children}
    </Notice>
  );
}
