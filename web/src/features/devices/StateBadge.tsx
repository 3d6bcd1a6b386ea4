import { Clock } from 'lucide-react';
import type { ReactElement } from 'react';

import { Badge } from '@/components/ui/badge';

import type { State } from './words';

const WORDS: Record<State, string> = { current: 'up to date', late: 'late', silent: 'no readings yet', unmeasured: 'not measured' };

/** Whether something is heard as it usually is, in a word. */
export function StateBadge({ state }: { state: State }): ReactElement {
  if (state === 'current') return <Badge look="good">{WORDS.current}</Badge>;
  if (state !== 'late') return <Badge>{WORDS[state]}</Badge>;
  return (
    <Badge look="warn">
      <Clock aria-hidden className="size-3.5" /> {WORDS.late}
    </Badge>
  );
}
