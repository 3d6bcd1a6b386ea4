import { useMutation, useQueryClient } from '@tanstack/react-query';
import { PlugZap } from 'lucide-react';
import { type FormEvent, type ReactElement, type ReactNode, useEffect, useRef, useState } from 'react';

import type { SourceKind, TriedSource } from '@/client';
import { Button } from '@/components/ui/button';
import { TextField } from '@/components/ui/field';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Words } from '@/components/ui/words';
import { formatNumber } from '@/lib/numbers';
import { ApiProblem } from '@/lib/problem';
import { useShown } from '@/lib/shown';
import { type Said, addSource, sourcesQuery, trySource } from '@/lib/sources';

const MOST_SHOWN = 8; // of what was heard in a test

function Trial({ tried }: { tried: TriedSource }): ReactElement {
  return (
    <Notice role="status" look={tried.works ? 'info' : 'warn'} title={tried.works ? 'It works' : 'It does not work yet'}>
      <p>
        <Words>{tried.words}</Words>
      </p>
      {tried.remedy ? (
        <p className="mt-1 font-medium">
          <Words>{tried.remedy}</Words>
        </p>
      ) : null}
      {tried.things.length > 0 ? (
        <ul className="mt-1 tabular-nums">
          {tried.things.slice(0, MOST_SHOWN).map(({ key, name, values }) => (
            <li key={key} className="break-words">
              {name}: {values.map(({ text }) => text).join(', ')}
            </li>
          ))}
          {tried.things.length > MOST_SHOWN ? <li className="text-muted">and {formatNumber(tried.things.length - MOST_SHOWN)} more</li> : null}
        </ul>
      ) : null}
    </Notice>
  );
}

interface Fault {
  field: string;
  words: string;
  remedy: string | null;
}

/** What is to blame of what was said, where a test or the server names it. */
function faultOf(kind: SourceKind, tried: TriedSource | undefined, error: Error | null): Fault | null {
  const found =
    error instanceof ApiProblem
      ? { field: error.field, words: error.reason, remedy: error.remedy }
      : tried && !tried.works && tried.things.length === 0
        ? { field: tried.field, words: tried.words, remedy: tried.remedy }
        : null;
  const named = kind.fields.find(({ name, type }) => name === found?.field && type !== 'yes_no');
  return found && named ? { ...found, field: named.name } : null;
}

function faultWords({ words, remedy }: Fault): ReactNode {
  return (
    <>
      <Words>{words}</Words> {remedy ? <Words>{remedy}</Words> : null}
    </>
  );
}

interface SourceFormProps {
  kind: SourceKind;
  onAdded: () => void;
}

/** What must be said of a source, tried before it is added. */
export function SourceForm({ kind, onAdded }: SourceFormProps): ReactElement {
  const [said, setSaid] = useState<Said>({});
  const queries = useQueryClient();
  const trying = useMutation({ mutationFn: () => trySource(kind.kind, said) });
  const adding = useMutation({
    mutationFn: () => addSource(kind.kind, said),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: sourcesQuery.queryKey });
      onAdded();
    },
  });
  const say = (name: string, value: string | boolean): void => {
    setSaid({ ...said, [name]: value });
    trying.reset();
    adding.reset();
  };
  const isComplete = kind.fields.every(({ name, required }) => !required || (typeof said[name] === 'string' && said[name].trim() !== ''));
  const isBusy = trying.isPending || adding.isPending;
  const error = trying.error ?? adding.error;
  const fault = faultOf(kind, trying.data, error);
  const form = useRef<HTMLFormElement>(null);
  const opened = useShown<HTMLDivElement>(true);
  const blamed = fault?.field;
  useEffect(() => {
    if (blamed) form.current?.querySelector<HTMLInputElement>('[aria-invalid]')?.focus();
  }, [blamed]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isComplete && !isBusy) trying.mutate();
  };
  return (
    <form ref={form} onSubmit={submit} aria-label={kind.title} aria-busy={isBusy} className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <div ref={opened} className="grid grid-cols-[minmax(0,1fr)] gap-3 sm:grid-cols-2">
        {kind.fields.map(({ name, label, hint, type, required }) =>
          type === 'yes_no' ? (
            <label key={name} className="text-small flex min-h-11 items-center gap-2 font-medium">
              <input type="checkbox" className="accent-accent size-5" checked={said[name] === true} onChange={({ target }) => say(name, target.checked)} />
              {label}
            </label>
          ) : (
            <TextField
              key={name}
              label={required ? label : `${label} (optional)`}
              hint={hint || undefined}
              fault={fault?.field === name ? faultWords(fault) : undefined}
              type={type === 'secret' ? 'password' : 'text'}
              inputMode={type === 'number' ? 'numeric' : 'text'}
              autoCapitalize="none"
              spellCheck={false}
              autoComplete={type === 'secret' ? 'new-password' : 'off'}
              value={typeof said[name] === 'string' ? said[name] : ''}
              onChange={({ target }) => say(name, target.value)}
            />
          ),
        )}
      </div>
      {fault ? (
        <p className="text-small font-medium">It does not work yet: correct the field that is marked above.</p>
      ) : (
        <>
          {trying.data ? <Trial tried={trying.data} /> : null}
          {error ? <ProblemNotice error={error} /> : null}
        </>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" look={trying.data?.works ? 'plain' : 'primary'} disabled={!isComplete || isBusy}>
          <PlugZap aria-hidden className="size-4" />
          {trying.isPending ? 'Testing…' : 'Test'}
        </Button>
        <Button look={trying.data?.works ? 'primary' : 'plain'} disabled={!isComplete || isBusy} onClick={() => adding.mutate()}>
          {adding.isPending ? 'Adding…' : trying.data?.works ? 'Add' : 'Add without a test'}
        </Button>
        {trying.isPending ? (
          <p role="status" className="text-small text-muted">
            Connecting; this takes a few seconds.
          </p>
        ) : null}
      </div>
    </form>
  );
}
