import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';

import type { HomeEntry } from '@/client';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { useNow } from '@/lib/now';
import { type PartUsage, type Usage, formatEnergy, formatPower, formatSince } from '@/lib/usage';

import { StateBadge } from './StateBadge';
import { KINDS, shareOf, stateOf, usedToday, wordOf } from './words';

const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });
const HALF_MINUTE_MS = 30_000;
/** On a phone these stand below the name. */
const WIDE = 'hidden sm:table-cell';

export type Order = 'today' | 'name';

interface DeviceTableProps {
  home: HomeEntry;
  usage: Usage;
  answeredAt: number;
  order: Order;
}

const NOTHING: Omit<PartUsage, 'part' | 'name'> = {
  channel: null,
  part_kind: 'device',
  device_kind: null,
  power_watts: null,
  heard_at: null,
  age_seconds: null,
  is_late: false,
  today_kwh: null,
  today_until: null,
  yesterday_same_time_kwh: null,
  yesterday_kwh: null,
  known_share_today: null,
};

/** Every device with what it draws now and used today. */
export function DeviceTable({ home, usage, answeredAt, order }: DeviceTableProps): ReactElement {
  const now = useNow(HALF_MINUTE_MS);
  const used = usedToday(usage);
  const zones = new Map(home.zones.map(({ id, name }) => [id, name]));
  const rows = home.devices
    .map((device) => ({ device, part: usage.parts.find(({ part }) => part === device.id) ?? { ...NOTHING, part: device.id, name: device.name } }))
    .toSorted((a, b) => (order === 'today' ? (b.part.today_kwh ?? -Infinity) - (a.part.today_kwh ?? -Infinity) || 0 : 0) || a.device.name.localeCompare(b.device.name));
  return (
    <Table aria-label="Devices">
      <thead>
        <tr>
          <Head className="text-left">Device</Head>
          <Head>Now</Head>
          <Head className={WIDE}>Today</Head>
          <Head className={WIDE} unit="of today">
            Share
          </Head>
          <Head className={WIDE}>Last heard</Head>
          <Head className={WIDE}>State</Head>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ device, part }) => {
          const share = shareOf(part, used);
          const since = part.heard_at === null ? null : `${formatSince(part.heard_at, usage, answeredAt, Math.max(now, answeredAt))} ago`;
          const isMeasured = device.channels.length > 0;
          const state = stateOf(part, isMeasured);
          const about = [KINDS[device.kind], device.zone === null ? null : zones.get(device.zone)].filter(Boolean).join(' · ');
          return (
            <tr key={device.id} className={part.is_late ? 'text-muted' : undefined}>
              <RowHead className="w-full">
                <Link
                  to="/devices/$home/$device"
                  params={{ home: home.id, device: wordOf(device.id) }}
                  className="text-accent inline-flex min-h-8 items-center font-semibold break-words underline"
                >
                  {device.name}
                </Link>
                <span className="text-muted block font-normal">{about}</span>
                <span className="text-muted block font-normal sm:hidden">
                  {part.today_kwh === null ? null : `${formatEnergy(part.today_kwh)} today${share === null ? '' : `, ${percent.format(share)}`}`}
                </span>
              </RowHead>
              <Value>
                <span className="font-medium">{formatPower(part.power_watts)}</span>
                <span className="mt-1 block sm:hidden">{state === 'current' ? <span className="text-muted">{since}</span> : <StateBadge state={state} />}</span>
              </Value>
              <Value className={WIDE}>{formatEnergy(part.today_kwh)}</Value>
              <Value className={WIDE}>{share === null ? '–' : percent.format(share)}</Value>
              <Value className={WIDE}>{since ?? '–'}</Value>
              <Value className={WIDE}>
                <StateBadge state={state} />
              </Value>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}
