import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Check, Copy, Upload as UploadIcon } from 'lucide-react';
import { type FormEvent, type ReactElement, useState } from 'react';

import type { ConnectOption, ImportedRows } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { formatNumber } from '@/lib/numbers';

import { type Upload, upload } from './queries';

const COPIED_MS = 2000;

function Command({ command }: { command: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(command);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <div className="bg-sunken rounded-control mt-2 flex items-center gap-2 py-1 pr-1 pl-3">
      <code className="text-small min-w-0 flex-1 py-1 font-mono break-words whitespace-pre-wrap">{command}</code>
      <Button square look="quiet" aria-label={copied ? 'Copied' : `Copy: ${command}`} onClick={() => void copy()} className="size-8">
        {copied ? <Check aria-hidden className="size-4" /> : <Copy aria-hidden className="size-4" />}
      </Button>
    </div>
  );
}

function Imported({ rows }: { rows: ImportedRows }): ReactElement {
  const refused = rows.refused_rows > 0 ? ` ${formatNumber(rows.refused_rows)} rows were refused and kept aside with the reason.` : '';
  return (
    <Notice role="status" title={`${formatNumber(rows.new_rows)} new rows for ${rows.region}`} className="mt-3">
      {rows.new_rows === 0 ? 'Everything in this file was known already.' : 'They are in the store.'}
      {refused} <a className="text-accent font-medium underline" href={`/grid/${rows.region}`}>Open {rows.region}</a>
    </Notice>
  );
}

function UploadForm(): ReactElement {
  const [file, setFile] = useState<File | null>(null);
  const [region, setRegion] = useState('ny');
  const queries = useQueryClient();
  const sending = useMutation({
    mutationFn: (chosen: Upload) => upload(chosen),
    onSuccess: () => queries.invalidateQueries(),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (file) sending.mutate({ file, region: region.trim() });
  };
  return (
    <form onSubmit={submit} className="mt-3">
      <div className="flex flex-wrap items-end gap-3">
        <label className="text-small grid gap-1 font-medium">
          Region
          <input
            value={region}
            onChange={(event) => setRegion(event.target.value)}
            required
            autoComplete="off"
            className="rounded-control border-control-line bg-surface h-10 w-28 border px-3"
          />
        </label>
        <label className="text-small grid min-w-0 basis-full gap-1 sm:flex-1 sm:basis-40 font-medium">
          EIA930_BALANCE file (CSV)
          <input
            type="file"
            accept=".csv,text/csv"
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
            className="rounded-control border-control-line bg-surface file:bg-sunken file:text-ink h-10 w-full min-w-0 border text-ellipsis file:mr-3 file:h-full file:border-0 file:px-3 file:font-medium"
          />
        </label>
        <Button type="submit" look="primary" disabled={!file || sending.isPending}>
          <UploadIcon aria-hidden className="size-4" />
          {sending.isPending ? 'Reading the file…' : 'Import'}
        </Button>
      </div>
      {sending.data ? <Imported rows={sending.data} /> : null}
      {sending.error ? <ProblemNotice error={sending.error} className="mt-3" /> : null}
    </form>
  );
}

/** The ways to bring a real region in. */
export function ConnectCard({ options }: { options: readonly ConnectOption[] }): ReactElement {
  return (
    <Card title="Connect real data" note="Real regions and simulated ones never mix; a file read twice changes nothing.">
      <ol className="grid gap-6 md:grid-cols-2">
        {options.map(({ id, title, text, command }) => (
          <li key={id} className="min-w-0">
            <h3 className="font-semibold">{title}</h3>
            <p className="text-small text-muted">{text}</p>
            {command ? <Command command={command} /> : null}
            {id === 'eia_files' ? <UploadForm /> : null}
          </li>
        ))}
      </ol>
    </Card>
  );
}
