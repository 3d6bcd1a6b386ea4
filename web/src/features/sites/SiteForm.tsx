import { useMutation, useQuery } from '@tanstack/react-query';
import { LocateFixed } from 'lucide-react';
import { type ComponentProps, type FormEvent, type ReactElement, type ReactNode, useId, useState } from 'react';

import type { NewChannel, NewSite, SiteEntry } from '@/client';
import { Button } from '@/components/ui/button';
import { ProblemNotice } from '@/components/ui/problem';
import { cn } from '@/lib/cn';

import { coordinate, countryName, ownPlace, timeZones } from '@/lib/places';
import { holidaysQuery } from './queries';

const UNITS = ['W', 'kW', 'MW', 'kWh', 'MWh', ...['EUR', 'GBP', 'USD'].flatMap((currency) => [`${currency}/kWh`, `${currency}/MWh`])];
const STEPS: readonly [number, string][] = [
  [300, '5 minutes'],
  [900, '15 minutes'],
  [1800, '30 minutes'],
  [3600, '1 hour'],
  [86_400, '1 day'],
];
const CONTROL = 'rounded-control border-control-line bg-surface text-body h-10 w-full min-w-0 border px-3 font-normal';

function Field({ label, hint, children }: { label: string; hint?: ReactNode; children: (id: string, hintId: string | undefined) => ReactNode }): ReactElement {
  const id = useId();
  return (
    <div className="text-small grid min-w-0 content-start gap-1 font-medium">
      <label htmlFor={id}>{label}</label>
      {children(id, hint ? `${id}-hint` : undefined)}
      {hint ? (
        <p id={`${id}-hint`} className="text-muted font-normal">
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function Select({ label, hint, options, ...rest }: { label: string; hint?: ReactNode; options: readonly (readonly [string, string])[] } & ComponentProps<'select'>): ReactElement {
  return (
    <Field label={label} hint={hint}>
      {(id, hintId) => (
        <select id={id} aria-describedby={hintId} className={CONTROL} {...rest}>
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Text({ label, hint, className, ...rest }: { label: string; hint?: ReactNode } & ComponentProps<'input'>): ReactElement {
  return (
    <Field label={label} hint={hint}>
      {(id, hintId) => <input id={id} aria-describedby={hintId} autoComplete="off" className={cn(CONTROL, className)} {...rest} />}
    </Field>
  );
}

/** A country, or a part of it. */
function placeName(code: string): string {
  const [country = '', ...part] = code.split('-');
  return [countryName(country), ...part].join(': ');
}

/** The calendars of a site: of a country or a part of it, none until one is chosen, and what is kept beside it, joined by "+". */
function HolidayChoice({ value, timeZone, onChange }: { value: string; timeZone: string; onChange: (code: string) => void }): ReactElement {
  const { data } = useQuery(holidaysQuery(timeZone));
  const joined = value.split('+').filter(Boolean);
  const optional = data?.optional ?? [];
  const isOptional = (code: string): boolean => optional.some((each) => each.code === code);
  const chosen = joined.find((code) => !isOptional(code)) ?? '';
  const beside = joined.filter((code) => code !== chosen);
  const join = (first: string, others: readonly string[]): void => onChange([...new Set([first, ...others])].filter(Boolean).join('+'));
  const [country = '', ...rest] = chosen.split('-');
  const parts = data?.countries.find(({ code }) => code === country)?.parts ?? [];
  const known = data?.countries.map(({ code }) => code) ?? (country ? [country] : []);
  const options: [string, string][] = known.map((code): [string, string] => [code, countryName(code)]).toSorted(([, a], [, b]) => a.localeCompare(b));
  const { likely } = data ?? {};
  return (
    <>
      <Select
        label="Public holidays"
        value={country}
        onChange={({ target }) => join(target.value, beside)}
        options={[['', 'None'], ...options]}
        hint={
          likely && !chosen ? (
            <>
              Probably, by the time zone:{' '}
              <button type="button" className="text-accent font-medium underline" onClick={() => join(likely, beside)}>
                {countryName(likely)}
              </button>
            </>
          ) : undefined
        }
      />
      {parts.length > 0 ? (
        <Select
          label="Part of the country"
          value={rest.join('-')}
          onChange={({ target }) => join(target.value ? `${country}-${target.value}` : country, beside)}
          options={[['', 'Whole country'], ...parts.map((part): [string, string] => [part, part])]}
        />
      ) : null}
      {data ? (
        <fieldset className="text-small col-span-full flex flex-wrap gap-x-5 gap-y-2">
          <legend className="mb-1 font-medium">Also kept here</legend>
          {[...new Set([...optional.map(({ code }) => code), ...beside])].map((code) => (
            <label key={code} className="flex min-h-6 items-center gap-2" title={optional.find((each) => each.code === code)?.says}>
              <input
                type="checkbox"
                className="accent-accent size-4"
                checked={beside.includes(code)}
                onChange={({ target }) => join(chosen, target.checked ? [...beside, code] : beside.filter((each) => each !== code))}
              />
              {optional.find((each) => each.code === code)?.name ?? `Holidays of ${placeName(code)}`}
            </label>
          ))}
        </fieldset>
      ) : null}
    </>
  );
}

interface SiteFormProps {
  /** The site to change; without it a new one is described. */
  site?: SiteEntry | undefined;
  save: (said: NewSite) => Promise<SiteEntry>;
  onSaved: (site: SiteEntry) => void;
  onCancel?: () => void;
}

/** Describes a site: what it is, where it is, what is measured there. */
export function SiteForm({ site, save, onSaved, onCancel }: SiteFormProps): ReactElement {
  const [zones] = useState(timeZones);
  const [said, setSaid] = useState({
    name: site?.name ?? '',
    kind: site?.kind ?? ('home' as const),
    timeZone: site?.time_zone ?? zones[0] ?? 'UTC',
    latitude: site?.latitude?.toString() ?? '',
    longitude: site?.longitude?.toString() ?? '',
    holidays: site?.holidays ?? '',
    unit: '',
    step: '3600',
  });
  const set = (changed: Partial<typeof said>): void => setSaid((before) => ({ ...before, ...changed }));
  const saving = useMutation({ mutationFn: (body: NewSite) => save(body), onSuccess: onSaved });
  const locating = useMutation({ mutationFn: ownPlace, onSuccess: set });
  const latitude = coordinate(said.latitude);
  const longitude = coordinate(said.longitude);
  const isPlaceWrong = latitude === undefined || longitude === undefined || (latitude === null) !== (longitude === null);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isPlaceWrong) return;
    const name = said.unit.includes('/') ? 'price' : said.unit.endsWith('h') ? 'energy' : 'power';
    const channels: NewChannel[] = said.unit
      ? [{ name, unit: said.unit, resolution_seconds: Number(said.step) }]
      : [];
    saving.mutate({ name: said.name.trim(), kind: said.kind, time_zone: said.timeZone, latitude, longitude, holidays: said.holidays || null, channels });
  };

  return (
    <form onSubmit={submit} className="grid gap-4">
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
        <Text label="Name" value={said.name} required maxLength={100} placeholder="Summer house" onChange={({ target }) => set({ name: target.value })} />
        {site ? null : (
          <Select
            label="What it is"
            value={said.kind}
            onChange={({ target }) => set({ kind: target.value === 'region' ? 'region' : 'home' })}
            options={[
              ['home', 'A home: one household'],
              ['region', 'Anything larger: a factory, a town, a grid zone'],
            ]}
          />
        )}
        <Select
          label="Time zone"
          value={said.timeZone}
          onChange={({ target }) => set({ timeZone: target.value })}
          options={[...new Set([said.timeZone, ...zones])].map((zone): [string, string] => [zone, zone.replaceAll('_', ' ')])}
        />
        <HolidayChoice value={said.holidays} timeZone={said.timeZone} onChange={(holidays) => set({ holidays })} />
      </div>
      <fieldset className="grid gap-3">
        <legend className="text-small text-muted mb-2">
          With coordinates, the forecast uses the local weather. They are sent only to Open-Meteo.
        </legend>
        <div className="grid grid-cols-2 items-start gap-4 sm:grid-cols-[repeat(2,minmax(0,11rem))_auto]">
          <Text
            label="Latitude (° north)"
            value={said.latitude}
            inputMode="text"
            placeholder="48.85"
            aria-invalid={latitude === undefined}
            onChange={({ target }) => set({ latitude: target.value })}
          />
          <Text
            label="Longitude (° east)"
            value={said.longitude}
            inputMode="text"
            placeholder="2.35"
            aria-invalid={longitude === undefined}
            onChange={({ target }) => set({ longitude: target.value })}
          />
          <Button className="col-span-2 justify-self-start sm:col-span-1 sm:mt-6" disabled={locating.isPending} onClick={() => locating.mutate()}>
            <LocateFixed aria-hidden className="size-4" />
            {locating.isPending ? 'Asking…' : 'Use my location'}
          </Button>
        </div>
        {locating.error ? (
          <p role="alert" className="text-small text-bad">
            {locating.error.message}
          </p>
        ) : null}
        {isPlaceWrong ? (
          <p role="status" className="text-small text-muted">
            Give both numbers, such as 48.85 and 2.35, or neither.
          </p>
        ) : null}
      </fieldset>
      {site ? null : (
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          <Select
            label="Unit of its readings"
            value={said.unit}
            onChange={({ target }) => set({ unit: target.value })}
            options={[['', 'As in the file'], ...UNITS.map((unit): [string, string] => [unit, unit])]}
          />
          {said.unit ? (
            <Select
              label="A reading every"
              value={said.step}
              onChange={({ target }) => set({ step: target.value })}
              options={STEPS.map(([seconds, text]): [string, string] => [String(seconds), text])}
            />
          ) : null}
        </div>
      )}
      <div className="flex flex-wrap gap-3">
        <Button type="submit" look="primary" disabled={saving.isPending || isPlaceWrong}>
          {saving.isPending ? 'Saving…' : site ? 'Save' : 'Add the site'}
        </Button>
        {onCancel ? <Button onClick={onCancel}>Cancel</Button> : null}
      </div>
      {saving.error ? <ProblemNotice error={saving.error} /> : null}
    </form>
  );
}
