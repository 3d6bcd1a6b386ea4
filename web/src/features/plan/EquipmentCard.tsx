import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Trash2 } from 'lucide-react';
import { type FormEvent, type ReactElement, useState } from 'react';

import type { EquipmentAnswer, HomeEquipment, HomeEntry, RemovedEquipment } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { SelectField, TextField } from '@/components/ui/field';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { homeQuery } from '@/lib/homes';
import { useShown } from '@/lib/shown';

import { DAYS, KINDS, type Kind, type Question, type Typed, faultOf, thingsOf, withThing, withoutThing } from './equipment';
import { equipmentQuery, forgetEquipment, keepEquipment } from './queries';

interface ControlProps {
  question: Question;
  kind: Kind;
  value: string;
  isFaulty: boolean;
  about: HomeEntry | undefined;
  onChange: (value: string) => void;
}

/** Which devices or channels of the home there are to choose from. */
function choicesOf({ type }: Question, kind: Kind, about: HomeEntry | undefined): readonly (readonly [string, string])[] {
  if (type === 'days') return DAYS[kind === 'car' ? 'car' : 'appliance'];
  if (type === 'device') return [['', 'nothing'], ...(about?.devices ?? []).map(({ id, name }) => [id, name] as const)];
  return [['', 'nothing'], ...(about?.channels ?? []).filter(({ unit }) => unit === '%').map(({ id }) => [id, id] as const)];
}

function Control({ question, kind, value, isFaulty, about, onChange }: ControlProps): ReactElement {
  const { label, type, hint } = question;
  if (type === 'text' || type === 'number' || type === 'time') {
    return (
      <TextField
        label={label}
        hint={hint}
        type={type === 'time' ? 'time' : 'text'}
        inputMode={type === 'number' ? 'decimal' : undefined}
        value={value}
        fault={isFaulty ? (type === 'number' ? 'Give a number above 0.' : 'Say it.') : undefined}
        onChange={({ target }) => onChange(target.value)}
      />
    );
  }
  return <SelectField label={label} hint={hint} value={value} options={choicesOf(question, kind, about)} onChange={({ target }) => onChange(target.value)} />;
}

interface ThingFormProps {
  kind: Kind;
  about: HomeEntry | undefined;
  isBusy: boolean;
  onAdd: (typed: Typed) => void;
  onCancel: () => void;
}

function ThingForm({ kind, about, isBusy, onAdd, onCancel }: ThingFormProps): ReactElement {
  const [typed, setTyped] = useState<Typed>(KINDS[kind].usual);
  const [isTried, setIsTried] = useState(false);
  const fault = isTried ? faultOf(kind, typed) : null;
  const shown = useShown<HTMLFormElement>(true);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setIsTried(true);
    if (faultOf(kind, typed) === null && !isBusy) onAdd(typed);
  };
  return (
    <form ref={shown} onSubmit={submit} aria-label={KINDS[kind].label} aria-busy={isBusy} className="border-line mt-3 grid gap-3 border-t pt-3">
      <div className="grid grid-cols-[minmax(0,1fr)] gap-3 sm:grid-cols-2">
        {KINDS[kind].questions.map((question) => (
          <Control
            key={question.field}
            question={question}
            kind={kind}
            value={typed[question.field] ?? ''}
            isFaulty={fault === question.field}
            about={about}
            onChange={(value) => setTyped({ ...typed, [question.field]: value })}
          />
        ))}
      </div>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" disabled={isBusy}>
          {isBusy ? 'Keeping it…' : `Add ${KINDS[kind].label.toLowerCase()}`}
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}

/** What of the home can be shifted: listed, added and removed; the next plan is made with it. */
export function EquipmentCard({ home, onKept }: { home: string; onKept: (hasThings: boolean) => void }): ReactElement {
  const queries = useQueryClient();
  const query = useQuery(equipmentQuery(home));
  const about = useQuery(homeQuery(home)).data;
  const [kind, setKind] = useState<Kind | null>(null);
  const keeping = useMutation({
    mutationFn: (said: HomeEquipment): Promise<EquipmentAnswer | RemovedEquipment> => (thingsOf(said).length > 0 ? keepEquipment(home, said) : forgetEquipment(home)),
    onSuccess: (kept) => {
      setKind(null);
      queries.setQueryData(equipmentQuery(home).queryKey, 'equipment' in kept ? kept : null);
      onKept('equipment' in kept);
    },
  });
  const said: HomeEquipment = query.data?.equipment ?? {};
  const things = thingsOf(said);
  if (query.isPending) return <Skeleton className="h-32 w-full" />;
  return (
    <Card title="What can be shifted" note="changed here; the next plan is made with it">
      {query.error ? <ProblemNotice error={query.error} onRetry={() => void query.refetch()} /> : null}
      {things.length > 0 ? (
        <ul aria-label="What can be shifted" className="text-small">
          {things.map((thing) => (
            <li key={`${thing.group} ${thing.name}`} className="border-line flex items-center justify-between gap-3 border-b py-1 last:border-b-0">
              <span className="min-w-0 wrap-anywhere">
                <span className="font-medium">{thing.name}</span> <span className="text-muted">{thing.words}</span>
              </span>
              <Button square look="quiet" aria-label={`Remove ${thing.name}`} title="Remove" disabled={keeping.isPending} onClick={() => keeping.mutate(withoutThing(said, thing))}>
                <Trash2 aria-hidden className="size-4" />
              </Button>
            </li>
          ))}
        </ul>
      ) : (
        <p className="text-muted">Nothing yet. Add what may run at another time, be charged, or store energy:</p>
      )}
      {keeping.error ? <ProblemNotice className="mt-3" error={keeping.error} /> : null}
      {kind ? (
        <ThingForm key={kind} kind={kind} about={about} isBusy={keeping.isPending} onAdd={(typed) => keeping.mutate(withThing(said, kind, typed))} onCancel={() => setKind(null)} />
      ) : (
        <div className="mt-3 flex flex-wrap gap-2">
          {(Object.keys(KINDS) as Kind[]).map((each) => (
            <Button key={each} onClick={() => setKind(each)}>
              <Plus aria-hidden className="size-4" /> {KINDS[each].label}
            </Button>
          ))}
        </div>
      )}
      <p className="text-small text-muted mt-3">
        Profiles, heat pumps, tanks and limits are said in a file: <code className="bg-sunken rounded px-1 font-mono wrap-anywhere">watthour home equip {home} equipment.toml</code>
      </p>
    </Card>
  );
}
