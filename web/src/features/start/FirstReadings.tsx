import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';

import type { HomeEntry, SourceEntry } from '@/client';
import { BringPast, PastProgress, useBringPast } from '@/components/sources/Past';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { TextField } from '@/components/ui/field';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Words } from '@/components/ui/words';
import { cn } from '@/lib/cn';
import { useNow } from '@/lib/now';
import { addThing, sourcesQuery } from '@/lib/sources';
import { formatSince } from '@/lib/usage';

type Thing = SourceEntry['things'][number];

const KINDS =
  'other washing_machine dishwasher tumble_dryer fridge freezer oven hob kettle microwave television computer router lights fan water_heater electric_heater heat_pump air_conditioner ev_charger battery solar circuit'.split(
    ' ',
  );

const inWords = (kind: string): string => (kind === 'other' ? 'Something else' : kind === 'ev_charger' ? 'Charger of a car' : kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' '));

const HOUR_S = 3600;

/** The grid's meter comes first, then counters, then power, then sensors. */
const rank = ({ grid_meter, values }: Thing): number => (grid_meter ? 0 : values.some(({ tells }) => tells === 'counter') ? 1 : values.some(({ tells }) => tells === 'power') ? 2 : 3);

interface HeardProps {
  thing: Thing;
  home: HomeEntry;
  age: string | null;
  /** Whether it also has a past. */
  hasPast: boolean;
}

/** One thing that speaks, with its last value, and what it measures. */
function Heard({ thing, home, age, hasPast }: HeardProps): ReactElement {
  const [isDevice, setIsDevice] = useState(false);
  const [name, setName] = useState(thing.name);
  const [kind, setKind] = useState('other');
  const queries = useQueryClient();
  const bringing = useBringPast();
  const adding = useMutation({
    mutationFn: addThing,
    onSuccess: async () => {
      if (hasPast) bringing.mutate(thing.key);
      await queries.invalidateQueries();
    },
  });
  const step = hasPast ? { step_seconds: HOUR_S } : {}; // the past is known by the hour
  const isLoad = thing.values.some(({ tells }) => tells === 'power' || tells === 'counter');
  return (
    <li className="border-line min-w-0 border-b py-3 last:border-b-0">
      <p className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="min-w-0 font-medium break-words">
          {thing.name} {thing.grid_meter ? <Badge look="good">the grid's meter</Badge> : null}
        </span>
        <span className="text-title font-semibold tabular-nums">{thing.values.map(({ text }) => text).join(' · ')}</span>
      </p>
      <p className="text-small text-muted">
        {age === null ? 'not heard yet' : `${age} ago`} {thing.silent ? <Badge look="warn">silent</Badge> : null}
        {thing.channel ? ` · kept as ${thing.channel}` : null}
      </p>
      {thing.channel ? null : (
        <div className="mt-2 flex flex-wrap gap-2">
          {isLoad ? (
            <Button look={home.main_channel === null ? 'primary' : 'plain'} disabled={adding.isPending} onClick={() => adding.mutate({ thing: thing.key, home: home.id, is_main: true, ...step })}>
              It measures the whole home
            </Button>
          ) : null}
          <Button aria-expanded={isDevice} disabled={adding.isPending} onClick={() => setIsDevice(!isDevice)}>
            {isLoad ? 'It measures a device' : 'Keep it as a sensor'}
          </Button>
        </div>
      )}
      {isDevice && !thing.channel ? (
        <form
          aria-label={`Device at ${thing.name}`}
          className="mt-3 grid gap-3 sm:grid-cols-2"
          onSubmit={(event) => {
            event.preventDefault();
            adding.mutate({ thing: thing.key, home: home.id, name: name.trim(), ...(isLoad ? { kind } : {}), ...step });
          }}
        >
          <TextField label="Name of the device" value={name} maxLength={100} onChange={({ target }) => setName(target.value)} />
          <label className={cn('text-small grid content-start gap-1 font-medium', !isLoad && 'hidden')}>
            What it is
            <select value={kind} onChange={({ target }) => setKind(target.value)} className="rounded-control border-control-line bg-surface text-body h-11 w-full border px-3 font-normal">
              {KINDS.map((each) => (
                <option key={each} value={each}>
                  {inWords(each)}
                </option>
              ))}
            </select>
          </label>
          <div>
            <Button type="submit" look="primary" disabled={name.trim() === '' || adding.isPending}>
              Keep it
            </Button>
          </div>
        </form>
      ) : null}
      {thing.channel && hasPast ? <BringPast thing={thing.key} /> : null}
      {adding.error ? <ProblemNotice error={adding.error} className="mt-2" /> : null}
      {bringing.error ? <ProblemNotice error={bringing.error} className="mt-2" /> : null}
    </li>
  );
}

/** What speaks in the home, as it comes, and the choice of what each measures. */
export function FirstReadings({ home }: { home: HomeEntry }): ReactElement {
  const { data, error, dataUpdatedAt } = useQuery(sourcesQuery);
  const now = useNow();
  const lines = (data?.sources ?? []).filter(({ things, state, kind }) => things.length > 0 || (state !== 'off' && data?.kinds.some((each) => each.kind === kind && each.is_of_homes)));
  const withPast = new Set(data?.kinds.filter(({ has_past, is_of_homes }) => has_past && is_of_homes).map(({ kind }) => kind));
  const things = lines.flatMap((line) => line.things.map((thing) => ({ ...thing, hasPast: withPast.has(line.kind) }))).toSorted((a, b) => rank(a) - rank(b)).filter(({ channel, values }) => values.length > 0 && (channel === null || channel.startsWith(`home.${home.id}.`)));
  const ageOf = ({ values }: Thing): string | null => {
    const heard = values.map(({ heard_at }) => heard_at).toSorted().at(-1);
    return heard && data ? formatSince(heard, { at: data.now }, dataUpdatedAt, now) : null;
  };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      {error ? <ProblemNotice error={error} /> : null}
      {lines
        .filter(({ state }) => state === 'failed' || state === 'silent')
        .map((line) => (
          <Notice key={line.name} look="warn" role="status" title={line.label}>
            <Words>{line.words}</Words> {line.remedy ? <Words>{line.remedy}</Words> : null}
          </Notice>
        ))}
      {things.length > 0 ? (
        <ul aria-label="What speaks here">
          {things.map((thing) => (
            <Heard key={thing.key} thing={thing} home={home} age={ageOf(thing)} hasPast={thing.hasPast} />
          ))}
        </ul>
      ) : (
        <p role="status" className="text-muted">
          Waiting for the first value. Most devices speak within seconds; a plug that tells changes alone speaks when something is switched on.
        </p>
      )}
      {things.filter(({ grid_meter, source }) => grid_meter && source === 'home_assistant').length > 1 ? (
        <Notice look="warn" title="The grid has several meters here">
          Each counts a part, such as one tariff, so none alone measures the whole home. In Home Assistant, make a template sensor that adds them (state class total_increasing): it measures the whole home from that day on.
        </Notice>
      ) : null}
      <PastProgress home={home.id} />
      {things.length > 0 && things.every(({ channel }) => channel === null) ? (
        <p className="text-small text-muted">
          Nothing is kept before you say what a value measures. Of a meter choose its counter of what is drawn (<em>import</em>, in kWh) for the whole home.
        </p>
      ) : null}
    </div>
  );
}
