import { CloudOff, Radio } from 'lucide-react';
import type { ReactElement } from 'react';

import { Badge } from '@/components/ui/badge';
import type { LiveState } from '@/lib/live';
import { formatClock } from '@/lib/time';

const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Whether what is shown follows what is measured; said to screen readers when it changes. */
export function LiveBadge({ live }: { live: LiveState }): ReactElement {
  return (
    <span role="status">
      {live.state === 'live' ? (
        <Badge look="good">
          <Radio aria-hidden className="size-3.5" /> Live
        </Badge>
      ) : live.state === 'connecting' ? (
        <Badge>Connecting</Badge>
      ) : (
        <Badge look="warn">
          <CloudOff aria-hidden className="size-3.5" /> Not live since {formatClock(live.since, HERE)}
        </Badge>
      )}
    </span>
  );
}
