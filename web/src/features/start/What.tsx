import { useQuery } from '@tanstack/react-query';
import { Database, FileUp, House, HousePlug, Hourglass, type LucideIcon, PlugZap, RadioTower } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';

import { SourceForm } from '@/components/sources/SourceForm';
import { Button } from '@/components/ui/button';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { useShown } from '@/lib/shown';
import { sourcesQuery } from '@/lib/sources';

/** A file, a kind of source, what is connected already, or nothing yet. */
export type Way = 'file' | 'connected' | 'nothing' | (string & {});

const TITLES: Record<string, { title: string; text: string; icon: LucideIcon }> = {
  home_assistant: { title: 'Home Assistant', text: 'By its address and a token: with years of past, so that tomorrow is forecast at once.', icon: House },
  mqtt: { title: 'Plugs and meters with an MQTT broker', text: 'Also what Home Assistant tells a broker: every change, without the past.', icon: RadioTower },
  homewizard: { title: 'A P1 reader at the meter (HomeWizard)', text: 'Also its kWh meters and sockets.', icon: HousePlug },
  influxdb: { title: 'InfluxDB 3', text: 'What Home Assistant or others keep there: with its past.', icon: Database },
  shelly: { title: 'Shelly plugs or meters', text: 'Asked in your own network, without a broker.', icon: PlugZap },
};

interface WhatProps {
  way: Way | null;
  /** Null: something else is to be chosen. */
  onWay: (way: Way | null) => void;
  /** Where a file is brought in. */
  upload: ReactNode;
  onConnected: () => void;
}

/** What there is that measures, and how it is brought in. */
export function What({ way, onWay, upload, onConnected }: WhatProps): ReactElement {
  const { data, error, refetch } = useQuery(sourcesQuery);
  const opened = useShown<HTMLDivElement>(way, 'start');
  if (!data) return error ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : <Skeleton className="h-56 w-full" />;
  const kinds = data.kinds.filter(({ is_of_homes }) => is_of_homes);
  const connected = data.sources.filter(({ kind }) => kinds.some((each) => each.kind === kind));
  const chosen = kinds.find(({ kind }) => kind === way);
  const ways = [
    { way: 'file', title: 'A file of my meter', text: 'From the supplier, the meter or a spreadsheet.', icon: FileUp },
    ...(connected.length > 0 ? [{ way: 'connected', title: 'What is connected already', text: connected.map(({ label }) => label).join(', '), icon: PlugZap }] : []),
    ...kinds.map(({ kind, title, delivers }) => Object.assign({ way: kind, title, text: delivers, icon: PlugZap }, TITLES[kind])),
    { way: 'nothing', title: 'Nothing yet', text: 'The home is kept; a meter can follow at any time.', icon: Hourglass },
  ];
  return (
    <div ref={opened} className="grid scroll-mt-4 grid-cols-[minmax(0,1fr)] gap-4">
      <ul className="grid gap-2 sm:grid-cols-2">
        {ways.filter((each) => way === null || each.way === way).map(({ way: each, title, text, icon: Icon }) => (
          <li key={each}>
            <Button
              aria-pressed={each === way}
              look={each === way ? 'primary' : 'plain'}
              className="h-full min-h-14 w-full justify-start gap-3 py-2 text-left whitespace-normal"
              onClick={() => (each === 'connected' ? onConnected() : onWay(each))}
            >
              <Icon aria-hidden className="size-5 shrink-0" />
              <span className="min-w-0">
                <span className="block font-semibold">{title}</span>
                <span className="block font-normal">{text}</span>
              </span>
            </Button>
          </li>
        ))}
      </ul>
      {way === null ? null : (
        <Button look="quiet" className="justify-self-start" onClick={() => onWay(null)}>
          Something else
        </Button>
      )}
      {way === 'file' ? upload : null}
      {way === 'home_assistant' && kinds.some(({ kind }) => kind === 'mqtt') ? (
        <div className="text-small text-muted">
          <p>Its statistics bring the past, then a value every five minutes. What it tells an MQTT broker comes at once, and has no past; both can be connected.</p>
          <Button look="quiet" onClick={() => onWay('mqtt')}>
            Its MQTT broker instead
          </Button>
        </div>
      ) : null}
      {chosen ? <SourceForm key={chosen.kind} kind={chosen} onAdded={onConnected} /> : null}
    </div>
  );
}
