import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Pencil, Trash2 } from 'lucide-react';
import { type ReactElement, type ReactNode, useEffect, useState } from 'react';

import type { SiteEntry } from '@/client';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Fold } from '@/components/ui/fold';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { formatNumber } from '@/lib/numbers';

import { SiteForm } from './SiteForm';
import { addSite, changeSite, removeSite, sitesQuery } from './queries';

const WEATHER = { none: 'none: its place is not known', awaited: 'not fetched yet', known: 'followed', too_early: 'no weather forecasts as issued exist before March 2021' };
const SECONDS = 60;

/** The channel that is forecast, or the only one. */
function mainOf(site: SiteEntry): SiteEntry['channels'][number] | undefined {
  return site.channels.find(({ id }) => id === site.main_channel);
}

function readingsOf(site: SiteEntry): string {
  const main = mainOf(site);
  if (!main?.first_time || !main.last_time) return 'none yet';
  return `${main.first_time.slice(0, 10)} to ${main.last_time.slice(0, 10)}, every ${main.resolution_seconds / SECONDS} min, in ${main.unit}`;
}

function placeOf({ latitude, longitude, points, time_zone }: SiteEntry): string {
  const place = latitude !== null && longitude !== null ? `${formatNumber(latitude, 2)}°, ${formatNumber(longitude, 2)}°` : points.length > 0 ? `${points.length} weather points` : null;
  return [time_zone.replaceAll('_', ' '), place].filter(Boolean).join(' · ');
}

function NextSteps({ site }: { site: SiteEntry }): ReactElement | null {
  if (site.next.length === 0) return null;
  return (
    <ol className="text-small mt-2 grid gap-1.5">
      {site.next.map(({ text, command }) => (
        <li key={command} className="min-w-0">
          {text} <code className="bg-sunken text-ink rounded px-1.5 py-0.5 font-mono break-words">{command}</code>
        </li>
      ))}
    </ol>
  );
}

function Removal({ site, onDone }: { site: SiteEntry; onDone: () => void }): ReactElement {
  const queries = useQueryClient();
  const hasReadings = site.channels.some(({ first_time }) => first_time !== null);
  const removing = useMutation({
    mutationFn: () => removeSite(site.id, hasReadings),
    onSuccess: async () => {
      onDone();
      await queries.invalidateQueries();
    },
  });
  return (
    <Notice
      look="warn"
      role="alert"
      className="mt-3"
      title={`Remove ${site.name}?`}
      actions={
        <>
          <Button disabled={removing.isPending} onClick={() => removing.mutate()}>
            {hasReadings ? 'Remove it and its readings' : 'Remove it'}
          </Button>
          <Button look="quiet" onClick={onDone}>
            Keep it
          </Button>
        </>
      }
    >
      {hasReadings ? 'Its readings and forecasts will be deleted permanently.' : 'It has no readings, so no data are lost.'}
      {removing.error ? <ProblemNotice error={removing.error} className="mt-2" /> : null}
    </Notice>
  );
}

interface SiteRowProps {
  site: SiteEntry;
  /** What trains the site's model. */
  train?: ((site: string) => ReactNode) | undefined;
}

function SiteRow({ site, train }: SiteRowProps): ReactElement {
  const [doing, setDoing] = useState<'change' | 'remove' | null>(null);
  const queries = useQueryClient();
  const facts: [string, string][] = [
    ['Place', placeOf(site)],
    ['Readings', readingsOf(site)],
    ['Weather', WEATHER[site.weather]],
    ['Holidays', site.holidays ?? 'none'],
    ['Model', site.model ? 'trained' : 'none yet'],
  ];
  return (
    <li className="border-line border-b py-4 first:pt-0 last:border-b-0 last:pb-0">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <h3 className="font-semibold">
          {mainOf(site)?.first_time ? (
            <a className="text-accent inline-block py-1 underline" href={`/${site.kind === 'home' ? 'home' : 'grid'}/${site.id}`}>
              {site.name}
            </a>
          ) : (
            site.name
          )}{' '}
          <Badge>{site.kind}</Badge> {site.simulated ? <Badge>simulated</Badge> : null}
        </h3>
        {site.described_in === 'store' ? (
          <div className="flex gap-1">
            <Button square look="quiet" aria-label={`Change ${site.name}`} aria-expanded={doing === 'change'} onClick={() => setDoing('change')}>
              <Pencil aria-hidden className="size-4" />
            </Button>
            <Button square look="quiet" aria-label={`Remove ${site.name}`} aria-expanded={doing === 'remove'} onClick={() => setDoing('remove')}>
              <Trash2 aria-hidden className="size-4" />
            </Button>
          </div>
        ) : null}
      </div>
      {doing === 'change' ? (
        <div className="mt-3">
          <SiteForm
            site={site}
            save={({ name, time_zone, latitude, longitude, holidays }) => changeSite(site.id, { name, time_zone, latitude, longitude, holidays })}
            onSaved={() => {
              setDoing(null);
              void queries.invalidateQueries();
            }}
            onCancel={() => setDoing(null)}
          />
        </div>
      ) : (
        <dl className="text-small mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 tabular-nums">
          {facts.map(([what, text]) => (
            <div key={what} className="contents">
              <dt className="text-muted">{what}</dt>
              <dd className="min-w-0 break-words">{text}</dd>
            </div>
          ))}
        </dl>
      )}
      {doing === 'remove' ? <Removal site={site} onDone={() => setDoing(null)} /> : null}
      {doing === null && site.described_in !== 'watthour' ? <NextSteps site={site} /> : null}
      {train && doing === null && mainOf(site)?.first_time ? (
        <Fold title={site.model ? 'Train its model again' : 'Train its model'} className="mt-2">
          <div className="mt-2">{train(site.id)}</div>
        </Fold>
      ) : null}
      {site.described_in === 'settings' ? (
        <p className="text-small text-muted mt-2">
          Described in the settings: change it in <code>[sites.{site.id}]</code> of watthour.toml.
        </p>
      ) : null}
    </li>
  );
}

/** The sites whose load is here or will be, and how one of one's own is added. */
export function SitesPage({ train }: { train?: (site: string) => ReactNode }): ReactElement {
  const { data, error, refetch } = useQuery(sitesQuery);
  const [added, setAdded] = useState<SiteEntry | null>(null);
  const queries = useQueryClient();
  useEffect(() => {
    document.title = 'Sites · Watthour';
  }, []);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      <h1 className="text-title font-semibold">Sites</h1>
      <Card title="Add a site" note="A home, a building, a town or a zone of a grid: any place whose load you have in files.">
        {added ? (
          <Notice role="status" title={`${added.name} is added`} className="mb-4">
            {added.points.length > 0 ? 'Its weather is fetched automatically once it has readings.' : null}
            <NextSteps site={added} />
          </Notice>
        ) : null}
        <SiteForm
          key={added?.id}
          save={addSite}
          onSaved={(site) => {
            setAdded(site);
            void queries.invalidateQueries();
          }}
        />
      </Card>
      <Card title="Your sites">
        {error ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : null}
        {data ? (
          data.sites.length > 0 ? (
            <ul>
              {data.sites.map((site) => (
                <SiteRow key={site.id} site={site} train={train} />
              ))}
            </ul>
          ) : (
            <p className="text-muted">None yet. Add one above, or import a file.</p>
          )
        ) : error ? null : (
          <Skeleton className="h-24 w-full" />
        )}
      </Card>
    </div>
  );
}
