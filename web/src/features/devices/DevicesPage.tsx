import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { type ReactElement, useEffect, useState } from 'react';

import type { HomeEntry } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { HomeChoice } from '@/components/ui/home-choice';
import { LiveBadge } from '@/components/ui/live-badge';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { SimulatedBanner } from '@/components/ui/simulated';
import { Skeleton } from '@/components/ui/skeleton';
import { homeQuery, rememberHome } from '@/lib/homes';
import { useLive } from '@/lib/live';
import { type Usage, formatPower, usageQuery } from '@/lib/usage';

import { DeviceForm } from './DeviceForm';
import { DeviceTable, type Order } from './DeviceTable';
import { Zones } from './Zones';
import { addDevice } from './queries';
import { wordOf } from './words';

const ORDERS = [
  { value: 'today', label: 'Most used first' },
  { value: 'name', label: 'By name' },
] as const;
const MOST_NAMED = 3;

/** What draws most now, and what is late, in one sentence. */
function answerOf({ parts }: Usage): string {
  const devices = parts.filter(({ part_kind }) => part_kind === 'device');
  const late = devices.filter(({ is_late }) => is_late);
  const on = devices.filter(({ power_watts, is_late }) => !is_late && (power_watts ?? 0) > 0).toSorted((a, b) => (b.power_watts ?? 0) - (a.power_watts ?? 0));
  const most = on.slice(0, MOST_NAMED).map(({ name, power_watts }) => `${name} ${formatPower(power_watts)}`);
  const now = most.length > 0 ? `Drawing most now: ${most.join(', ')}.` : 'No device is known to draw power now.';
  if (late.length === 0) return now;
  return `${now} ${late.length === 1 ? `${late[0]?.name} is late.` : `${late.length} devices are late.`}`;
}

function PageSkeleton(): ReactElement {
  return (
    <Card role="status" aria-label="Loading the devices">
      <Skeleton className="mb-3 h-6 w-32" />
      <Skeleton className="h-96 w-full" />
    </Card>
  );
}

function AddCard({ home }: { home: HomeEntry }): ReactElement {
  const queries = useQueryClient();
  const [isOpen, setOpen] = useState(home.devices.length === 0);
  const [added, setAdded] = useState<{ id: string; name: string } | null>(null);
  return (
    <Card title="Add a device" note="Anything that uses, makes or stores energy, or a circuit of the fuse box. What tells by itself is found on the page Sources.">
      {added ? (
        <Notice role="status" title={`${added.name} is added`} className="mb-3">
          <Link to="/devices/$home/$device" params={{ home: home.id, device: wordOf(added.id) }} className="text-accent font-medium underline">
            Look at it
          </Link>
        </Notice>
      ) : null}
      {isOpen ? (
        <DeviceForm
          zones={home.zones}
          save={(said) => addDevice(home.id, said)}
          onSaved={(device) => {
            setAdded(device);
            setOpen(false);
            void queries.invalidateQueries({ queryKey: ['homes'] });
          }}
          onCancel={() => setOpen(false)}
        />
      ) : (
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => setOpen(true)}>
            <Plus aria-hidden className="size-4" /> Describe one
          </Button>
          <Button asChild look="quiet">
            <Link to="/sources">What is heard by itself</Link>
          </Button>
        </div>
      )}
    </Card>
  );
}

interface DevicesPageProps {
  home: string;
  onHome: (home: string) => void;
}

/** The devices and zones of a home: what each draws now and used today, and whether it is heard. */
export function DevicesPage({ home, onHome }: DevicesPageProps): ReactElement {
  const live = useLive(home);
  const about = useQuery(homeQuery(home));
  const usage = useQuery(usageQuery(home));
  const [order, setOrder] = useState<Order>('today');
  const name = about.data?.name ?? home;
  useEffect(() => {
    document.title = `Devices of ${name} · Watthour`;
  }, [name]);
  useEffect(() => {
    if (about.data) rememberHome(about.data.id);
  }, [about.data]);
  const error = (about.data ? null : about.error) ?? (usage.data ? null : usage.error);
  const canChange = about.data?.described_in === 'store';
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      {about.data?.simulated ? (
        <SimulatedBanner>
          <Link to="/start" className="text-accent font-medium underline">
            Add your own home
          </Link>
        </SimulatedBanner>
      ) : null}
      <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <h1 className="text-title flex min-w-0 flex-wrap items-center gap-x-2 font-semibold">
          Devices of <HomeChoice home={home} onHome={onHome} />
        </h1>
        {error ? null : <LiveBadge live={live} />}
      </header>
      {error ? (
        <ProblemNotice
          error={error}
          onRetry={() => void Promise.all([about.refetch(), usage.refetch()])}
          actions={
            <Button asChild>
              <Link to="/start">Add a home</Link>
            </Button>
          }
        />
      ) : null}
      {about.data && usage.data ? (
        <>
          {about.data.devices.length > 0 ? (
            <>
              <p className="text-answer max-w-4xl font-semibold text-balance">{answerOf(usage.data)}</p>
              <Card
                title={about.data.devices.length === 1 ? '1 device' : `${about.data.devices.length} devices`}
                note="Share: of what the home used today, from the grid, its panels and its battery. Late: silent for more than twice as long as usual."
                actions={<Choice label="Order" value={order} options={ORDERS} onChange={setOrder} />}
              >
                <DeviceTable home={about.data} usage={usage.data} answeredAt={usage.dataUpdatedAt} order={order} />
              </Card>
            </>
          ) : (
            <Notice title="No devices yet">
              {canChange
                ? 'Describe one below, or connect what tells by itself on the page Sources; its power, its past and its forecast then stand here.'
                : 'This home is described elsewhere and has none.'}
            </Notice>
          )}
          <Zones home={about.data} usage={usage.data} canChange={canChange} />
          {canChange ? <AddCard home={about.data} /> : null}
        </>
      ) : error ? null : (
        <PageSkeleton />
      )}
    </div>
  );
}
