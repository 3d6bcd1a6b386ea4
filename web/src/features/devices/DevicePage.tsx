import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowLeft, Pencil, Trash2 } from 'lucide-react';
import { type ReactElement, useEffect, useState } from 'react';

import { TomorrowCard } from '@/charts/day/TomorrowCard';
import type { DeviceEntry, HomeEntry } from '@/client';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { LiveBadge } from '@/components/ui/live-badge';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { SimulatedBanner } from '@/components/ui/simulated';
import { Skeleton } from '@/components/ui/skeleton';
import { homeQuery, rememberHome } from '@/lib/homes';
import { serverNow, useLive } from '@/lib/live';
import { useNow } from '@/lib/now';
import { formatNumber } from '@/lib/numbers';
import { formatAge, formatInstant } from '@/lib/time';
import { type PartUsage, type Usage, formatEnergy, formatPower, formatSince, usageQuery } from '@/lib/usage';

import { DeviceForm } from './DeviceForm';
import { HistoryCard } from './HistoryCard';
import { InsightsCard, UsesCard } from './InsightCards';
import { StateBadge } from './StateBadge';
import { changeDevice, removeDevice } from './queries';
import { FLEXIBILITIES, KINDS, deviceNamed, stateOf, wordOf } from './words';

const MINUTE_MS = 60_000;
const MINUTE_S = 60;
const LOOK_AGAIN_MS = 5000; // somebody else may remove it

function Back({ home, name }: { home: string; name: string }): ReactElement {
  return (
    <Link to="/devices/$home" params={{ home }} className="text-accent text-small inline-flex min-h-8 items-center gap-1 font-medium">
      <ArrowLeft aria-hidden className="size-4" /> Devices of {name}
    </Link>
  );
}

/** What it draws now and used today, in one sentence. */
function answerOf({ name, power_watts, today_kwh, yesterday_same_time_kwh, is_late }: PartUsage): string {
  const does = power_watts !== null && power_watts < 0 ? 'feeds in' : 'draws';
  const now = power_watts === null ? `What ${name} draws is not known` : `${name} ${is_late ? (does === 'draws' ? 'drew' : 'fed in') : does} ${formatPower(Math.abs(power_watts))} ${is_late ? 'when last heard' : 'now'}`;
  if (today_kwh === null) return `${now}.`;
  const used = today_kwh < 0 ? `fed in ${formatEnergy(-today_kwh)} today` : `used ${formatEnergy(today_kwh)} today`;
  const before = yesterday_same_time_kwh === null ? '' : `, yesterday up to this time ${formatEnergy(Math.abs(yesterday_same_time_kwh))}`;
  return `${now}; it ${used}${before}.`;
}

function Silence({ part, usage, now }: { part: PartUsage; usage: Usage; now: number }): ReactElement | null {
  if (!part.is_late || part.heard_at === null) return null;
  const heard = Date.parse(part.heard_at);
  return (
    <Notice
      look="warn"
      title={`Silent for ${formatAge((now - heard) / (60 * MINUTE_MS))}`}
      actions={
        <Button asChild>
          <Link to="/sources">Look at its source</Link>
        </Button>
      }
    >
      It was last heard {formatInstant(heard, usage.time_zone, now)}, which is longer ago than usual. Below is what was known then.
    </Notice>
  );
}

function About({ home, device, part, usage, answeredAt }: { home: HomeEntry; device: DeviceEntry; part: PartUsage | undefined; usage: Usage; answeredAt: number }): ReactElement {
  const now = useNow(MINUTE_MS / 6);
  const zone = home.zones.find(({ id }) => id === device.zone)?.name ?? 'none';
  const channels = device.channels.map(({ id, unit, resolution_seconds }) => `${id} (${unit}, every ${formatNumber(resolution_seconds / MINUTE_S)} min)`);
  const heard = part?.heard_at ? `${formatSince(part.heard_at, usage, answeredAt, Math.max(now, answeredAt))} ago` : 'never';
  const facts: [string, string][] = [
    ['Zone', zone],
    ['Most it draws', device.rating_w === null ? 'not said' : formatPower(device.rating_w)],
    ['Its use', FLEXIBILITIES[device.flexibility]],
    ['Last heard', heard],
    ['Measured by', channels.join(', ') || 'nothing yet'],
  ];
  return (
    <dl className="text-small grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
      {facts.map(([what, text]) => (
        <div key={what} className="contents">
          <dt className="text-muted">{what}</dt>
          <dd className="min-w-0 break-words">{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function Removal({ home, device, onDone }: { home: string; device: DeviceEntry; onDone: () => void }): ReactElement {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const hasReadings = device.channels.some(({ first_time }) => first_time !== null);
  const removing = useMutation({
    mutationFn: (withReadings: boolean) => removeDevice(home, wordOf(device.id), withReadings),
    onSuccess: async () => {
      await navigate({ to: '/devices/$home', params: { home } });
      await queries.invalidateQueries({ queryKey: ['homes'] });
    },
  });
  // Uses are not counted here, so the server may yet say that there are some.
  const mayHoldUses = removing.error !== null;
  const isWhole = hasReadings || mayHoldUses;
  return (
    <Notice
      look="warn"
      role="alert"
      title={`Remove ${device.name}?`}
      actions={
        <>
          <Button disabled={removing.isPending} onClick={() => removing.mutate(isWhole)}>
            {isWhole ? 'Remove it with its readings and uses' : 'Remove it'}
          </Button>
          <Button look="quiet" onClick={onDone}>
            Keep it
          </Button>
        </>
      }
    >
      {hasReadings ? 'Its readings, uses and forecasts will be deleted permanently.' : 'It has no readings.'}
      {removing.error ? <ProblemNotice error={removing.error} className="mt-2" /> : null}
    </Notice>
  );
}

interface DevicePageProps {
  home: string;
  device: string;
}

/** One device: now, its past, its forecast, what is worth knowing about it, and its uses. */
export function DevicePage({ home, device: named }: DevicePageProps): ReactElement {
  const about = useQuery({ ...homeQuery(home), refetchInterval: LOOK_AGAIN_MS });
  const usage = useQuery(usageQuery(home));
  const queries = useQueryClient();
  const [doing, setDoing] = useState<'change' | 'remove' | null>(null);
  const browserNow = useNow(MINUTE_MS);
  const { data } = usage;
  const now = data ? serverNow(data.at, usage.dataUpdatedAt, Math.max(browserNow, usage.dataUpdatedAt)) : browserNow;
  const device = about.data && deviceNamed(about.data.devices, named);
  const live = useLive(about.data && !device ? null : home);
  const [before, setBefore] = useState<DeviceEntry | null>(null);
  if (device && device !== before) setBefore(device);
  const name = (device ?? before)?.name ?? named;
  useEffect(() => {
    document.title = `${name} · Watthour`;
  }, [name]);
  useEffect(() => {
    if (about.data) rememberHome(about.data.id);
  }, [about.data]);

  const error = about.data ? null : about.error;
  if (error) {
    return (
      <div className="grid gap-5">
        <h1 className="text-title font-semibold">{named}</h1>
        <ProblemNotice error={error} onRetry={() => void about.refetch()} />
      </div>
    );
  }
  if (!about.data) {
    return (
      <div role="status" aria-label="Loading the device" className="grid gap-5">
        <Skeleton className="h-8 w-48" />
        <Skeleton className="h-16 w-full max-w-xl" />
        <Skeleton className="h-80 w-full" />
      </div>
    );
  }
  if (!device) {
    return (
      <div className="grid gap-5">
        <Back home={home} name={about.data.name} />
        <h1 className="text-title font-semibold">{name}</h1>
        <Notice
          look="warn"
          role="alert"
          title={before ? `${name} was removed` : `${about.data.name} has no device "${named}"`}
          actions={
            <Button asChild>
              <Link to="/devices/$home" params={{ home }}>
                See the devices there are
              </Link>
            </Button>
          }
        >
          {before ? 'Nothing is heard of it any more, and nothing is forecast.' : 'It may have been removed, or the address is misspelt.'}
        </Notice>
      </div>
    );
  }
  const part = data?.parts.find((each) => each.part === device.id);
  const canChange = about.data.described_in === 'store';
  const timeZone = about.data.time_zone;
  const word = wordOf(device.id);
  const first = device.channels.map(({ first_time }) => first_time).filter((time) => time !== null).toSorted()[0] ?? null;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      {about.data.simulated ? <SimulatedBanner /> : null}
      <header>
        <Back home={home} name={about.data.name} />
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
          <h1 className="text-title flex min-w-0 flex-wrap items-center gap-2 font-semibold">
            <span className="min-w-0 break-words">{device.name}</span> <Badge>{KINDS[device.kind]}</Badge>
            {part ? <StateBadge state={stateOf(part, device.channels.length > 0)} /> : null}
          </h1>
          <div className="flex items-center gap-1">
            <LiveBadge live={live} />
            {canChange ? (
              <>
                <Button square look="quiet" aria-label={`Change ${device.name}`} aria-expanded={doing === 'change'} onClick={() => setDoing(doing === 'change' ? null : 'change')}>
                  <Pencil aria-hidden className="size-4" />
                </Button>
                <Button square look="quiet" aria-label={`Remove ${device.name}`} aria-expanded={doing === 'remove'} onClick={() => setDoing(doing === 'remove' ? null : 'remove')}>
                  <Trash2 aria-hidden className="size-4" />
                </Button>
              </>
            ) : null}
          </div>
        </div>
      </header>
      {doing === 'remove' ? <Removal home={home} device={device} onDone={() => setDoing(null)} /> : null}
      {doing === 'change' ? (
        <Card title={`Change ${device.name}`}>
          <DeviceForm
            zones={about.data.zones}
            device={device}
            save={({ name: called, kind, rating_w, flexibility, zone }) =>
              changeDevice(home, word, { name: called, ...(kind ? { kind } : {}), rating_w: rating_w ?? null, flexibility: flexibility ?? null, zone: zone ?? null })
            }
            onSaved={() => {
              setDoing(null);
              void queries.invalidateQueries({ queryKey: ['homes'] });
            }}
            onCancel={() => setDoing(null)}
          />
        </Card>
      ) : null}
      {usage.error && !data ? <ProblemNotice error={usage.error} onRetry={() => void usage.refetch()} /> : null}
      {part && data ? (
        <>
          <p className="text-answer max-w-4xl font-semibold text-balance">{device.channels.length > 0 ? answerOf(part) : `Nothing measures ${device.name} yet.`}</p>
          <Silence part={part} usage={data} now={now} />
          <Card title="About it">
            <About home={about.data} device={device} part={part} usage={data} answeredAt={usage.dataUpdatedAt} />
          </Card>
        </>
      ) : usage.error ? null : (
        <Skeleton className="h-16 w-full max-w-xl" />
      )}
      <HistoryCard home={home} device={device.id} timeZone={timeZone} now={now} />
      <TomorrowCard home={home} device={word} timeZone={timeZone} since={first} now={now} />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-2">
        <InsightsCard home={home} device={word} timeZone={timeZone} />
        <UsesCard home={home} device={word} timeZone={timeZone} now={now} />
      </div>
    </div>
  );
}
