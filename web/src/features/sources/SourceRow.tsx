import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CircleAlert, CircleCheck, CircleDashed, Trash2 } from 'lucide-react';
import { type ReactElement, useState } from 'react';

import type { SourceEntry } from '@/client';
import { BringPast } from '@/components/sources/Past';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Fold } from '@/components/ui/fold';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Words } from '@/components/ui/words';
import { formatNumber } from '@/lib/numbers';
import { lastOf, removeSource, sourcesQuery } from '@/lib/sources';
import { formatSince } from '@/lib/usage';

const STATES: Record<SourceEntry['state'], { label: string; look: 'good' | 'warn' | 'bad' | 'plain'; icon: typeof CircleCheck }> = {
  ok: { label: 'works', look: 'good', icon: CircleCheck },
  running: { label: 'asking', look: 'plain', icon: CircleDashed },
  waiting: { label: 'waiting', look: 'plain', icon: CircleDashed },
  never: { label: 'not asked yet', look: 'plain', icon: CircleDashed },
  off: { label: 'not heard', look: 'warn', icon: CircleAlert },
  interrupted: { label: 'interrupted', look: 'warn', icon: CircleAlert },
  silent: { label: 'silent', look: 'warn', icon: CircleAlert },
  failed: { label: 'not reached', look: 'bad', icon: CircleAlert },
};

/** By which clock ages are told: the server's, and how long ago it answered. */
export interface Clock {
  at: string;
  answeredAt: number;
  now: number;
}

export function ageOf(instant: string, { at, answeredAt, now }: Clock): string {
  return `${formatSince(instant, { at }, answeredAt, now)} ago`;
}

function lastWords(source: SourceEntry, clock: Clock): string {
  const last = lastOf(source);
  if (last === null) return source.last_heard_at === null && source.state === 'never' ? 'Never asked' : 'Never heard';
  return `${source.origin === 'file' ? 'Read' : source.last_heard_at ? 'Last heard' : 'Last asked'} ${ageOf(last, clock)}`;
}

function Removal({ source, host, onDone }: { source: SourceEntry; host: string | null; onDone: () => void }): ReactElement {
  const queries = useQueryClient();
  const removing = useMutation({
    mutationFn: () => removeSource(source.kind, host),
    onSuccess: async () => {
      onDone();
      await queries.invalidateQueries({ queryKey: sourcesQuery.queryKey });
    },
  });
  return (
    <Notice
      look="warn"
      role="alert"
      className="mt-3"
      title={`Remove ${host ?? source.label}?`}
      actions={
        <>
          <Button disabled={removing.isPending} onClick={() => removing.mutate()}>
            Remove it
          </Button>
          <Button look="quiet" onClick={onDone}>
            Keep it
          </Button>
        </>
      }
    >
      It is not heard any more; what it brought stays.
      {removing.error ? <ProblemNotice error={removing.error} className="mt-2" /> : null}
    </Notice>
  );
}

function Things({ source, clock }: { source: SourceEntry; clock: Clock }): ReactElement | null {
  if (source.things.length === 0) return null;
  return (
    <Fold title={source.things.length === 1 ? '1 value is heard here' : `${formatNumber(source.things.length)} values are heard here`} className="mt-2">
      <ul className="mt-1 grid gap-1.5">
        {source.things.map((thing) => {
          const heard = thing.values.map(({ heard_at }) => heard_at).toSorted();
          return (
            <li key={thing.key} className="min-w-0 break-words">
              <span className="font-medium">{thing.name}</span> {thing.silent ? <Badge look="warn">silent</Badge> : null}{' '}
              <span className="tabular-nums">{thing.values.map(({ text }) => text).join(', ')}</span>
              <span className="text-muted">
                {' '}
                {heard.length > 0 ? ageOf(heard.at(-1) ?? '', clock) : 'not heard yet'} · {thing.channel ? `fills ${thing.channel}` : 'not kept'}
              </span>
            </li>
          );
        })}
      </ul>
    </Fold>
  );
}

/** One source: how it stands, when it last spoke, what it fills. */
export function SourceRow({ source, clock, hasPast }: { source: SourceEntry; clock: Clock; hasPast: boolean }): ReactElement {
  const [removed, setRemoved] = useState<string | null | undefined>(undefined); // a host, null: all of it, undefined: nothing
  const { label, look, icon: Icon } = STATES[source.state];
  const canBeRemoved = source.origin === 'added' || source.origin === 'both';
  const sites = [...new Set(source.feeds.flatMap(({ site }) => (site === null ? [] : [site])))];
  const channels = source.feeds.flatMap(({ channel }) => (channel === null ? [] : [channel]));
  const fills = channels.length > 0 ? channels.join(', ') : sites.join(', ');
  return (
    <li className="border-line border-b py-4 first:pt-0 last:border-b-0 last:pb-0">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
        <h3 className="min-w-0 font-semibold break-words">
          {source.label} {source.simulated ? <Badge>simulated</Badge> : null}
        </h3>
        <Badge look={look}>
          <Icon aria-hidden className="size-4" />
          {label}
        </Badge>
      </div>
      <p className="text-small">
        <Words>{source.words}</Words>
      </p>
      {source.problem && source.last_run_at ? (
        <p className="text-small text-bad break-words">
          <Words>{source.problem}</Words>
        </p>
      ) : null}
      {source.remedy ? (
        <p className="text-small font-medium">
          <Words>{source.remedy}</Words>
        </p>
      ) : null}
      <p className="text-small text-muted tabular-nums">
        {lastWords(source, clock)} · {formatNumber(source.values_of_last_hour)} {source.values_of_last_hour === 1 ? 'value' : 'values'} in the last hour
        {source.faults > 0 ? ` · ${formatNumber(source.faults)} could not be read` : ''}
      </p>
      <p className="text-small text-muted break-words">
        {fills ? `Fills ${fills}` : source.origin === 'file' ? 'A file that was imported' : 'Fills nothing yet'}
        {source.address ? ` · at ${source.address}` : ''}
        {source.origin === 'settings' ? ' · set in watthour.toml or the environment' : ''}
      </p>
      <Things source={source} clock={clock} />
      {hasPast && channels.length > 0 ? <BringPast /> : null}
      {canBeRemoved && removed === undefined ? (
        <div className="mt-2 flex flex-wrap gap-2">
          {source.hosts.length > 1 ? (
            source.hosts.map((host) => (
              <Button key={host} look="quiet" onClick={() => setRemoved(host)}>
                <Trash2 aria-hidden className="size-4" /> Remove {host}
              </Button>
            ))
          ) : (
            <Button look="quiet" onClick={() => setRemoved(null)}>
              <Trash2 aria-hidden className="size-4" /> Remove
            </Button>
          )}
        </div>
      ) : null}
      {removed === undefined ? null : <Removal source={source} host={removed} onDone={() => setRemoved(undefined)} />}
    </li>
  );
}
