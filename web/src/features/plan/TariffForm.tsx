import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';

import type { SetTariff } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { SelectField, TextField } from '@/components/ui/field';
import { ProblemNotice } from '@/components/ui/problem';
import { formatShortDay } from '@/lib/time';

import { keepTariff, planQuery, tariffQuery } from './queries';

interface Typed {
  kind: string;
  currency: string;
  price: string;
  night: string;
  from: string;
  to: string;
  /** A calendar day; empty: from now on, or of the first tariff at all times. */
  since: string;
}

const KINDS = [
  ['two', 'two prices, by day and by night'],
  ['one', 'one price at all hours'],
] as const;

const numberOf = (typed: string): number => Number(typed.trim().replace(',', '.') || Number.NaN);

/** The tariff as the API keeps it. */
export function tariffOf({ kind, currency, price, night, from, to }: Typed): SetTariff['tariff'] {
  const head = { currency: currency.trim().toUpperCase(), tax_percent: 0 };
  if (kind === 'one') return { ...head, name: 'One price', import: { kind: 'flat', price: numberOf(price) } };
  const bands = [
    { name: 'night', price: numberOf(night), hours: [`${from}-${to}`] },
    { name: 'day', price: numberOf(price), hours: [`${to}-${from}`] },
  ];
  return { ...head, name: 'Day and night', import: { kind: 'time_of_use', bands } };
}

/** What a kWh costs, for the usual two kinds of contracts; every other kind is said in a file. */
export function TariffForm({ home, isChange = false }: { home: string; isChange?: boolean }): ReactElement {
  const queries = useQueryClient();
  const [typed, setTyped] = useState<Typed>({ kind: 'two', currency: 'EUR', price: '', night: '', from: '22:00', to: '06:00', since: '' });
  const [isConfirmed, setIsConfirmed] = useState(false);
  const keeping = useMutation({
    mutationFn: () => keepTariff(home, { tariff: tariffOf(typed), confirm: isConfirmed, ...(typed.since ? { since: typed.since } : {}) }),
    onSuccess: () => Promise.all([planQuery(home), tariffQuery(home)].map(({ queryKey }) => queries.invalidateQueries({ queryKey }))),
  });
  const isTwo = typed.kind === 'two';
  const isComplete = /^[A-Za-z]{3}$/.test(typed.currency.trim()) && [typed.price, ...(isTwo ? [typed.night] : [])].every((price) => !Number.isNaN(numberOf(price)));
  const say = (field: keyof Typed) => ({
    value: typed[field],
    onChange: ({ target }: { target: { value: string } }): void => {
      setTyped({ ...typed, [field]: target.value });
      keeping.reset();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isComplete && !keeping.isPending) keeping.mutate();
  };
  return (
    <Card title={isChange ? 'Another tariff' : 'What electricity costs'} note={isChange ? 'bills and savings of the past keep the one that held then' : 'a plan needs the price of each hour; one that holds from a later day stays'}>
      <form aria-label="Tariff" aria-busy={keeping.isPending} onSubmit={submit} className="grid gap-3">
        <div className="grid grid-cols-[minmax(0,1fr)] gap-3 sm:grid-cols-2">
          <SelectField label="Contract" options={KINDS} {...say('kind')} />
          <TextField label="Currency" hint="three letters, such as EUR" maxLength={3} autoCapitalize="characters" {...say('currency')} />
          <TextField label={isTwo ? 'Price by day, per kWh' : 'Price, per kWh'} hint="with all taxes and fees, such as 0.31" inputMode="decimal" {...say('price')} />
          {isTwo ? (
            <>
              <TextField label="Price by night, per kWh" hint="likewise, such as 0.22" inputMode="decimal" {...say('night')} />
              <TextField label="Night begins" type="time" {...say('from')} />
              <TextField label="Night ends" type="time" {...say('to')} />
            </>
          ) : null}
          {isChange ? <TextField label="Holds from" hint="without a day from now on; what was before stays" type="date" {...say('since')} /> : null}
        </div>
        {keeping.error ? (
          <>
            <ProblemNotice error={keeping.error} />
            <label className="text-small flex min-h-11 items-center gap-2 font-medium">
              <input type="checkbox" className="accent-accent size-5" checked={isConfirmed} onChange={({ target }) => setIsConfirmed(target.checked)} />
              The price is right as it stands
            </label>
          </>
        ) : null}
        <Button type="submit" look="primary" className="justify-self-start" disabled={!isComplete || keeping.isPending}>
          {keeping.isPending ? 'Keeping it…' : 'Keep this tariff'}
        </Button>
      </form>
      <p className="text-small text-muted mt-3">
        Prices of the market by the hour, tiers, what is earned by feeding in, and peaks are said in a file: <code className="bg-sunken rounded px-1 font-mono wrap-anywhere">watthour tariff set {home} tariff.toml</code>
      </p>
    </Card>
  );
}

/** By which tariff is planned, since when it holds, and the way to another. */
export function TariffCard({ home, timeZone }: { home: string; timeZone: string }): ReactElement | null {
  const [isOpen, setIsOpen] = useState(false);
  const found = useQuery(tariffQuery(home)).data;
  if (!found) return null;
  const name = typeof found.tariff['name'] === 'string' ? found.tariff['name'] : 'one without a name';
  const next = found.terms.find(({ since }) => since !== null && Date.parse(since) > Date.parse(found.since ?? '1970-01-01T00:00Z'));
  const day = (since: string): string => formatShortDay(Date.parse(since), timeZone);
  return (
    <>
      <Card title="By which tariff">
        <p>
          {name}, {found.since ? `since ${day(found.since)}` : 'at all times'}
          {next?.since ? `; another one holds from ${day(next.since)} on` : ''}.
        </p>
        <Button className="mt-2" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? 'Leave it as it is' : 'Say another tariff'}
        </Button>
      </Card>
      {isOpen ? <TariffForm home={home} isChange /> : null}
    </>
  );
}
