import { Clock } from 'lucide-react';
import type { ReactElement } from 'react';

import { Badge } from '@/components/ui/badge';
import { Card } from '@/components/ui/card';
import { cn } from '@/lib/cn';
import { useNow } from '@/lib/now';
import { type PartUsage, type Usage, formatPower, formatSince, mainsOf } from '@/lib/usage';

const MOST_ON = 5;
/** Less than this a device draws while it waits. [W] */
const WAITING_W = 5;

interface NowProps {
  usage: Usage;
  answeredAt: number;
}

/** How old a figure is, second by second. */
function Age({ heardAt, isLate, usage, answeredAt }: { heardAt: string; isLate: boolean } & NowProps): ReactElement {
  const since = formatSince(heardAt, usage, answeredAt, useNow());
  if (!isLate) return <span className="text-small text-muted">measured {since} ago</span>;
  return (
    <Badge look="warn">
      <Clock aria-hidden className="size-3.5" /> late, measured {since} ago
    </Badge>
  );
}

function meaningOf(watts: number): string {
  return watts < 0 ? 'fed into the grid' : 'drawn from the grid';
}

function On({ devices }: { devices: readonly PartUsage[] }): ReactElement | null {
  if (devices.length === 0) return null;
  return (
    <>
      <h3 className="text-small text-muted mt-4 mb-1 font-medium">On now</h3>
      <ul className="text-small" aria-label="On now">
        {devices.map(({ part, name, power_watts }) => (
          <li key={part} className="border-line flex items-baseline justify-between gap-3 border-b py-1.5 last:border-b-0">
            <span className="min-w-0 break-words">{name}</span>
            <span className="font-medium whitespace-nowrap">{formatPower(power_watts)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What the home draws this moment, how old that is, and what is on. */
export function NowCard({ usage, answeredAt }: NowProps): ReactElement {
  const mains = mainsOf(usage);
  const watts = mains?.power_watts ?? null;
  const on = usage.parts
    .filter(({ part_kind, power_watts, is_late }) => part_kind === 'device' && !is_late && Math.abs(power_watts ?? 0) >= WAITING_W)
    .toSorted((a, b) => Math.abs(b.power_watts ?? 0) - Math.abs(a.power_watts ?? 0))
    .slice(0, MOST_ON);
  return (
    <Card title="Now">
      {mains && watts !== null && mains.heard_at ? (
        <>
          <p className={cn('text-figure font-semibold', mains.is_late && 'text-muted')} data-figure="now">
            {formatPower(Math.abs(watts))}
          </p>
          <p className="text-small text-muted">{meaningOf(watts)}</p>
          <p className="mt-1 min-h-6">
            <Age heardAt={mains.heard_at} isLate={mains.is_late} usage={usage} answeredAt={answeredAt} />
          </p>
        </>
      ) : (
        <p className="text-small text-muted">No power of the whole home is known: no meter of it is connected, or it tells no power.</p>
      )}
      <On devices={on} />
    </Card>
  );
}
