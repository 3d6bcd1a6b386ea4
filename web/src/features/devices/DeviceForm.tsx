import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';

import type { DeviceEntry, DeviceKind, Flexibility, NewDevice, ZoneEntry } from '@/client';
import { Button } from '@/components/ui/button';
import { SelectField, TextField } from '@/components/ui/field';
import { ProblemNotice } from '@/components/ui/problem';

import { FLEXIBILITIES, KINDS } from './words';

const MEASURES = { power: { unit: 'W', text: 'Its power, as a plug tells it' }, energy: { unit: 'kWh', text: 'Its energy, as a counter tells it' } } as const;
const STEPS: readonly [string, string][] = [
  ['60', '1 minute'],
  ['300', '5 minutes'],
  ['900', '15 minutes'],
  ['3600', '1 hour'],
];

type Said = Pick<NewDevice, 'name' | 'kind' | 'rating_w' | 'flexibility' | 'zone' | 'channels'>;

interface DeviceFormProps {
  zones: readonly ZoneEntry[];
  /** The device to change; without it a new one is described. */
  device?: DeviceEntry | undefined;
  save: (said: Said) => Promise<DeviceEntry>;
  onSaved: (device: DeviceEntry) => void;
  onCancel?: () => void;
}

/** A number of watts as people write it; undefined where it is none, null where nothing is said. */
function wattsOf(text: string): number | null | undefined {
  const written = text.trim().replace(',', '.');
  if (written === '') return null;
  const watts = Number(written);
  return Number.isFinite(watts) && watts > 0 ? watts : undefined;
}

/** Describes a device: what it is, where it stands, and for a new one what is measured at it. */
export function DeviceForm({ zones, device, save, onSaved, onCancel }: DeviceFormProps): ReactElement {
  const [said, setSaid] = useState({
    name: device?.name ?? '',
    kind: device?.kind ?? ('other' as DeviceKind),
    zone: device?.zone ?? '',
    rating: device?.rating_w?.toString() ?? '',
    flexibility: device?.flexibility ?? ('' as Flexibility | ''),
    measured: '' as keyof typeof MEASURES | '',
    step: '900',
  });
  const set = (changed: Partial<typeof said>): void => setSaid((before) => ({ ...before, ...changed }));
  const saving = useMutation({ mutationFn: save, onSuccess: onSaved });
  const rating_w = wattsOf(said.rating);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (rating_w === undefined) return;
    const channels = said.measured ? [{ name: said.measured, unit: MEASURES[said.measured].unit, resolution_seconds: Number(said.step) }] : [];
    saving.mutate({ name: said.name.trim(), kind: said.kind, rating_w, flexibility: said.flexibility || null, zone: said.zone || null, ...(device ? {} : { channels }) });
  };

  return (
    <form onSubmit={submit} className="grid gap-4" aria-label={device ? `Change ${device.name}` : 'Add a device'}>
      <div className="grid items-start gap-4 sm:grid-cols-2 lg:grid-cols-3">
        <TextField label="Name" value={said.name} required maxLength={100} placeholder="Washing machine" onChange={({ target }) => set({ name: target.value })} />
        <SelectField
          label="What it is"
          value={said.kind}
          options={Object.entries(KINDS)}
          // What may be done with its use is that of its kind, until it is said.
          onChange={({ target }) => set({ kind: target.value as DeviceKind, flexibility: '' })}
        />
        <SelectField
          label="Where it stands"
          value={said.zone}
          options={[['', 'In no zone'], ...zones.map(({ id, name }): [string, string] => [id, name])]}
          onChange={({ target }) => set({ zone: target.value })}
        />
        <TextField
          label="Most it draws (W)"
          value={said.rating}
          inputMode="decimal"
          placeholder="2100"
          hint="By its name plate; may be left out."
          aria-invalid={rating_w === undefined}
          onChange={({ target }) => set({ rating: target.value })}
        />
        <SelectField
          label="Its use"
          value={said.flexibility}
          options={[['', 'As usual for its kind'], ...Object.entries(FLEXIBILITIES)]}
          onChange={({ target }) => set({ flexibility: target.value as Flexibility | '' })}
        />
        {device ? null : (
          <SelectField
            label="What is measured"
            value={said.measured}
            options={[['', 'Nothing yet'], ...Object.entries(MEASURES).map(([value, { text }]): [string, string] => [value, text])]}
            onChange={({ target }) => set({ measured: target.value as keyof typeof MEASURES | '' })}
          />
        )}
        {said.measured ? <SelectField label="Kept every" value={said.step} options={STEPS} onChange={({ target }) => set({ step: target.value })} /> : null}
      </div>
      {rating_w === undefined ? (
        <p role="status" className="text-small text-muted">
          Give the watts as a number above 0, such as 2100, or leave them out.
        </p>
      ) : null}
      <div className="flex flex-wrap gap-3">
        <Button type="submit" look="primary" disabled={saving.isPending || rating_w === undefined}>
          {saving.isPending ? 'Saving…' : device ? 'Save' : 'Add the device'}
        </Button>
        {onCancel ? <Button onClick={onCancel}>Cancel</Button> : null}
      </div>
      {saving.error ? <ProblemNotice error={saving.error} /> : null}
    </form>
  );
}
