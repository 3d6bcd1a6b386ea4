import { useMutation, useQueryClient } from '@tanstack/react-query';
import { LocateFixed, Search } from 'lucide-react';
import { type FormEvent, type ReactElement, useState } from 'react';

import type { HomeEntry, PlaceList } from '@/client';
import { Button } from '@/components/ui/button';
import { TextField } from '@/components/ui/field';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { homesQuery } from '@/lib/homes';
import { coordinate, ownPlace, timeZones } from '@/lib/places';

import { addHome, addHomeAt, lookUp } from './queries';

type Town = PlaceList['places'][number];

const townName = ({ name, part, country }: Town): string => [name, part, country].filter(Boolean).join(', ');

/** Where the home is: a town by its name, or coordinates. */
export function Where({ onHome }: { onHome: (home: HomeEntry) => void }): ReactElement {
  const [name, setName] = useState('Home');
  const [town, setTown] = useState('');
  const [byCoordinates, setByCoordinates] = useState(false);
  const [latitude, setLatitude] = useState('');
  const [longitude, setLongitude] = useState('');
  const [zone, setZone] = useState(() => timeZones()[0] ?? 'UTC');
  const queries = useQueryClient();
  const looking = useMutation({ mutationFn: lookUp });
  const locating = useMutation({
    mutationFn: ownPlace,
    onSuccess: (place) => {
      setLatitude(place.latitude);
      setLongitude(place.longitude);
    },
  });
  const kept = async (home: HomeEntry): Promise<void> => {
    await queries.invalidateQueries({ queryKey: homesQuery.queryKey });
    onHome(home);
  };
  const adding = useMutation({ mutationFn: addHome, onSuccess: kept });
  const addingAt = useMutation({ mutationFn: addHomeAt, onSuccess: kept });
  const [north, east] = [coordinate(latitude), coordinate(longitude)];
  const hasCoordinates = typeof north === 'number' && typeof east === 'number';
  const hasNone = north === null && east === null;
  const look = (event: FormEvent): void => {
    event.preventDefault();
    if (town.trim()) looking.mutate(town.trim());
  };
  const choose = (place: Town): void =>
    adding.mutate({ name: name.trim(), time_zone: place.time_zone, latitude: place.latitude, longitude: place.longitude, holidays: place.holidays });
  const addByCoordinates = (event: FormEvent): void => {
    event.preventDefault();
    if (hasCoordinates || hasNone) addingAt.mutate({ name: name.trim(), time_zone: zone, latitude: north ?? null, longitude: east ?? null });
  };
  const isNamed = name.trim() !== '';
  return (
    <div className="grid gap-4">
      <TextField label="Name of the home" value={name} maxLength={100} onChange={({ target }) => setName(target.value)} />
      {byCoordinates ? (
        <form onSubmit={addByCoordinates} aria-label="Coordinates" className="grid gap-3">
          <div className="grid gap-3 sm:grid-cols-2">
            <TextField label="Latitude" hint="Degrees north, such as 45.8" inputMode="decimal" value={latitude} onChange={({ target }) => setLatitude(target.value)} />
            <TextField label="Longitude" hint="Degrees east, such as 4.8; west is negative" inputMode="decimal" value={longitude} onChange={({ target }) => setLongitude(target.value)} />
            <label className="text-small grid content-start gap-1 font-medium">
              Time zone
              <select value={zone} onChange={({ target }) => setZone(target.value)} className="rounded-control border-control-line bg-surface text-body h-11 w-full min-w-0 border px-3 font-normal">
                {timeZones().map((each) => (
                  <option key={each} value={each}>
                    {each.replaceAll('_', ' ')}
                  </option>
                ))}
              </select>
            </label>
          </div>
          {hasNone ? <p className="text-small">Without coordinates the time zone is enough. What is then missing is the weather: forecasts rest on the calendar and the past of the home alone.</p> : null}
          {hasNone || hasCoordinates ? null : <p className="text-small text-muted">Give both numbers, or neither.</p>}
          <div className="flex flex-wrap gap-2">
            <Button type="submit" look="primary" disabled={!(hasCoordinates || hasNone) || !isNamed || addingAt.isPending}>
              {addingAt.isPending ? 'Adding…' : 'Add the home'}
            </Button>
            <Button disabled={locating.isPending} onClick={() => locating.mutate()}>
              <LocateFixed aria-hidden className="size-4" /> Where this device is
            </Button>
            <Button look="quiet" onClick={() => setByCoordinates(false)}>
              A town instead
            </Button>
          </div>
          {locating.error ? <Notice look="warn">{locating.error.message}</Notice> : null}
        </form>
      ) : (
        <form onSubmit={look} aria-label="Look up the place" className="grid gap-3">
          <TextField label="Town" hint="A country may follow: Lyon, France" value={town} onChange={({ target }) => setTown(target.value)} />
          <div className="flex flex-wrap gap-2">
            <Button type="submit" look={looking.data ? 'plain' : 'primary'} disabled={town.trim() === '' || looking.isPending}>
              <Search aria-hidden className="size-4" /> {looking.isPending ? 'Looking…' : 'Look it up'}
            </Button>
            <Button look="quiet" onClick={() => setByCoordinates(true)}>
              Without a town
            </Button>
          </div>
          {looking.error ? <ProblemNotice error={looking.error} /> : null}
          {looking.data?.places.length === 0 ? (
            <Notice look="warn" title="Nobody knows this town">
              Check its spelling, name a larger town nearby, or give coordinates.
            </Notice>
          ) : null}
          {looking.data && looking.data.places.length > 0 ? (
            <fieldset>
              <legend className="text-small mb-2 font-medium">Which one?</legend>
              <ul className="grid gap-2">
                {looking.data.places.map((place) => (
                  <li key={`${place.latitude} ${place.longitude} ${place.name}`}>
                    <Button className="h-auto min-h-11 w-full justify-start py-2 text-left whitespace-normal" disabled={!isNamed || adding.isPending} onClick={() => choose(place)}>
                      {townName(place)}
                    </Button>
                  </li>
                ))}
              </ul>
            </fieldset>
          ) : null}
        </form>
      )}
      {(adding.error ?? addingAt.error) ? <ProblemNotice error={adding.error ?? addingAt.error} /> : null}
      <p className="text-small text-muted">The place is kept to 0.1 degree, about 10 km: enough for the weather and the clock. Towns are looked up at Open-Meteo.</p>
    </div>
  );
}
