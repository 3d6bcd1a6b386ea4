import { useQuery } from '@tanstack/react-query';
import { Check } from 'lucide-react';
import { type ReactElement, type ReactNode, useEffect, useState } from 'react';

import type { HomeEntry } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Notice } from '@/components/ui/notice';
import { Skeleton } from '@/components/ui/skeleton';
import { hasReadings, homeQuery, homesQuery, rememberHome } from '@/lib/homes';
import { useNow } from '@/lib/now';

import { FirstReadings } from './FirstReadings';
import { Tomorrow } from './Tomorrow';
import { type Way, What } from './What';
import { Where } from './Where';

const LOOK_AGAIN_MS = 5000;
const MINUTE_MS = 60_000;

interface StartPageProps {
  /** A home that is here already, to go on with; none: one is added. */
  begun?: string | undefined;
  /** A home was added or chosen. */
  onBegun: (home: string) => void;
  /** Opens the page of a home. */
  onHome: (home: string) => void;
  /** Brings the file of a home in. */
  upload: (home: string, onImported: () => void) => ReactNode;
}

function Done({ children }: { children: ReactNode }): ReactElement {
  return (
    <p className="text-small flex items-start gap-2">
      <Check aria-hidden className="text-good mt-0.5 size-4 shrink-0" />
      <span className="min-w-0">{children}</span>
    </p>
  );
}

/** The homes that are here already, those without readings first. */
function Begun({ onHome }: { onHome: (home: HomeEntry) => void }): ReactElement | null {
  const { data } = useQuery(homesQuery);
  const own = (data?.homes ?? []).filter(({ simulated }) => !simulated).toSorted((a, b) => Number(hasReadings(a)) - Number(hasReadings(b)));
  if (own.length === 0) return null;
  return (
    <Notice
      className="mb-4"
      title="Go on with a home that is here already?"
      actions={own.map((home) => (
        <Button key={home.id} onClick={() => onHome(home)}>
          {home.name}
          {hasReadings(home) ? '' : ' (no readings yet)'}
        </Button>
      ))}
    />
  );
}

/** The first five minutes of a household: where, what there is, the first readings, tomorrow. */
export function StartPage({ begun, onBegun, onHome, upload }: StartPageProps): ReactElement {
  const [added, setAdded] = useState<HomeEntry | null>(null);
  const [way, setWay] = useState<Way | null>(null);
  const [isConnected, setIsConnected] = useState(false);
  const now = useNow(MINUTE_MS);
  const id = added?.id ?? begun;
  const looked = useQuery({ ...homeQuery(id ?? ''), enabled: id !== undefined, refetchInterval: LOOK_AGAIN_MS });
  const home = looked.data ?? added;
  useEffect(() => {
    document.title = 'Add a home · Watthour';
  }, []);
  useEffect(() => {
    // So that a page that is loaded again goes on where it was.
    if (added) onBegun(added.id);
  }, [added, onBegun]);
  const known = home?.id;
  useEffect(() => {
    // The other pages then open the same one, also before it has readings.
    if (known) rememberHome(known);
  }, [known]);
  const isImported = way === 'file' && home !== null && hasReadings(home);
  return (
    <div className="mx-auto grid w-full max-w-3xl grid-cols-[minmax(0,1fr)] gap-5">
      <h1 className="text-title font-semibold">Add a home</h1>
      <Card title="1. Where is it?">
        {home ? (
          <Done>
            {home.name}: {home.time_zone.replaceAll('_', ' ')}
            {home.latitude !== null && home.longitude !== null ? `, ${home.latitude}°, ${home.longitude}°` : ''}
            {home.holidays ? `, holidays of ${home.holidays}` : ', no public holidays'}
            {home.latitude === null ? '. No place, so no weather: it can be given later under Sites.' : ''}
          </Done>
        ) : id !== undefined && !looked.error ? (
          <Skeleton className="h-8 w-full" />
        ) : (
          <>
            <Begun onHome={setAdded} />
            <Where onHome={setAdded} />
          </>
        )}
      </Card>
      {home ? (
        <Card title="2. What is there that measures?">
          {isConnected ? (
            <div className="flex flex-wrap items-center justify-between gap-2">
              <Done>Connected</Done>
              <Button look="quiet" onClick={() => setIsConnected(false)}>
                Add something else
              </Button>
            </div>
          ) : (
            <What way={way} onWay={setWay} upload={upload(home.id, () => void looked.refetch())} onConnected={() => setIsConnected(true)} />
          )}
        </Card>
      ) : null}
      {home && isConnected ? (
        <Card title="3. The first readings" note="As they come.">
          <FirstReadings home={home} />
        </Card>
      ) : null}
      {home && (isConnected || isImported) ? <Tomorrow home={home} now={now} /> : null}
      {home && way === 'nothing' && !isConnected ? (
        <Notice title={`${home.name} is kept`}>Come back with a meter's file or a device at any time: this page goes on where it was.</Notice>
      ) : null}
      {home && (isConnected || isImported || way === 'nothing') ? (
        <div>
          <Button look="primary" onClick={() => onHome(home.id)}>
            Open {home.name}
          </Button>
        </div>
      ) : null}
    </div>
  );
}
