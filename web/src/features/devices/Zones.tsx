import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { type FormEvent, type ReactElement, useState } from 'react';

import type { HomeEntry } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { TextField } from '@/components/ui/field';
import { ProblemNotice } from '@/components/ui/problem';
import { type Usage, formatEnergy, formatPower } from '@/lib/usage';

import { addZone, removeZone } from './queries';
import { wordOf } from './words';

function counted(n: number): string {
  return n === 1 ? '1 device' : `${n} devices`;
}

interface ZonesProps {
  home: HomeEntry;
  usage: Usage;
  canChange: boolean;
}

/** The rooms, floors or other parts of a home, each the sum of what is measured in it. */
export function Zones({ home, usage, canChange }: ZonesProps): ReactElement | null {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const onSuccess = async (): Promise<void> => {
    setName('');
    await queries.invalidateQueries({ queryKey: ['homes'] });
  };
  const adding = useMutation({ mutationFn: (said: string) => addZone(home.id, { name: said }), onSuccess });
  const removing = useMutation({ mutationFn: (zone: string) => removeZone(home.id, zone), onSuccess });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    adding.mutate(name.trim());
  };
  if (home.zones.length === 0 && !canChange) return null;
  return (
    <Card title="Zones" note="Rooms, floors or other parts of the home; each is the sum of what is measured in it.">
      {home.zones.length > 0 ? (
        <ul aria-label="Zones">
          {home.zones.map((zone) => {
            const part = usage.parts.find((each) => each.part === zone.id);
            return (
              <li key={zone.id} className="border-line flex items-center gap-3 border-b py-2 last:border-b-0">
                <div className="min-w-0 flex-1">
                  <p className="font-medium break-words">{zone.name}</p>
                  <p className="text-small text-muted">{counted(zone.devices.length)}</p>
                </div>
                <div className="text-right">
                  <p className="font-medium whitespace-nowrap">{formatPower(part?.power_watts)}</p>
                  <p className="text-small text-muted whitespace-nowrap">{formatEnergy(part?.today_kwh)} today</p>
                </div>
                {canChange ? (
                  <Button
                    square
                    look="quiet"
                    aria-label={`Remove the zone ${zone.name}`}
                    title="Its devices stay, in no zone"
                    disabled={removing.isPending}
                    onClick={() => removing.mutate(wordOf(zone.id))}
                  >
                    <Trash2 aria-hidden className="size-4" />
                  </Button>
                ) : null}
              </li>
            );
          })}
        </ul>
      ) : null}
      {canChange ? (
        <form onSubmit={submit} aria-label="Add a zone" className="mt-3 flex flex-wrap items-end gap-3">
          <div className="min-w-0 flex-1 sm:max-w-60">
            <TextField label="New zone" value={name} required maxLength={100} placeholder="Kitchen" onChange={({ target }) => setName(target.value)} />
          </div>
          <Button type="submit" disabled={adding.isPending || name.trim() === ''} className="h-11">
            Add it
          </Button>
        </form>
      ) : null}
      {adding.error ? <ProblemNotice error={adding.error} className="mt-3" /> : null}
      {removing.error ? <ProblemNotice error={removing.error} className="mt-3" /> : null}
    </Card>
  );
}
