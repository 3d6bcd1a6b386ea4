import { Check, Copy } from 'lucide-react';
import { type ReactElement, type ReactNode, useState } from 'react';

import type { ConnectOption } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';

import { Upload } from './Upload';

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

interface ConnectCardProps {
  options: readonly ConnectOption[];
  /** What is offered for a site after its file came in; the place of a button that trains now. */
  afterImport?: (site: string) => ReactNode;
}

/** The ways to bring a real region in. */
export function ConnectCard({ options, afterImport }: ConnectCardProps): ReactElement {
  return (
    <Card title="Connect real data" note="Real and simulated regions are never mixed. Importing a file twice changes nothing.">
      <section aria-labelledby="own-file" className="mb-6">
        <h3 id="own-file" className="font-semibold">
          A file of your own
        </h3>
        <p className="text-small text-muted mb-3">
          A spreadsheet with the load of any place or home, in any common layout, or a six-month file of the EIA.
        </p>
        <Upload next={afterImport} />
      </section>
      <ol className="grid gap-6 md:grid-cols-2">
        {options.map(({ id, title, text, command }) => (
          <li key={id} className="min-w-0">
            <h3 className="font-semibold">{title}</h3>
            <p className="text-small text-muted break-words">{text}</p>
            {command ? <Command command={command} /> : null}
          </li>
        ))}
      </ol>
    </Card>
  );
}
