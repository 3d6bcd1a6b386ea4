import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { HousePlus } from 'lucide-react';
import { type ReactElement, useEffect, useState } from 'react';

import type { SourceEntry, SourceKind } from '@/client';
import { PastProgress } from '@/components/sources/Past';
import { SourceForm } from '@/components/sources/SourceForm';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Skeleton } from '@/components/ui/skeleton';
import { useNow } from '@/lib/now';
import { sourcesQuery } from '@/lib/sources';

import { type Clock, SourceRow, ageOf } from './SourceRow';

const NEEDS_CARE = new Set<SourceEntry['state']>(['failed', 'silent', 'off', 'interrupted']);

/** How all of it stands, in a sentence. */
function answerOf(all: readonly SourceEntry[]): string {
  const sources = all.filter(({ origin }) => origin !== 'file');
  if (sources.length === 0) return all.length > 0 ? 'Nothing is connected; files were imported.' : 'Nothing is connected yet.';
  const troubled = sources.filter(({ state }) => NEEDS_CARE.has(state));
  if (troubled.length === 0) return sources.length === 1 ? 'One source, and it does what it should.' : `${sources.length} sources, and all do what they should.`;
  const names = troubled.map(({ label }) => label).join(', ');
  return `${troubled.length} of ${sources.length} ${troubled.length === 1 ? 'needs' : 'need'} you: ${names}.`;
}

function Adding({ kinds }: { kinds: readonly SourceKind[] }): ReactElement {
  const [chosen, setChosen] = useState<string | null>(null);
  const [added, setAdded] = useState<SourceKind | null>(null);
  const kind = kinds.find((each) => each.kind === chosen);
  return (
    <>
      {added ? (
        <Notice role="status" title="Added" className="mb-4">
          {added.title} is taken up within seconds; no restart is needed. Then say what each device measures:{' '}
          <Link to="/start" className="text-accent font-medium underline">
            set up a home
          </Link>
          .
        </Notice>
      ) : null}
      <fieldset className="mb-4">
        <legend className="text-small mb-2 font-medium">What do you have?</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {kinds.map((each) => (
            <Button
              key={each.kind}
              aria-pressed={each.kind === chosen}
              look={each.kind === chosen ? 'primary' : 'plain'}
              className="h-auto min-h-11 justify-start py-2 text-left whitespace-normal"
              onClick={() => {
                setChosen(each.kind);
                setAdded(null);
              }}
            >
              {each.title}
            </Button>
          ))}
        </div>
      </fieldset>
      {kind ? (
        <SourceForm
          key={kind.kind}
          kind={kind}
          onAdded={() => {
            setAdded(kind);
            setChosen(null);
          }}
        />
      ) : null}
    </>
  );
}

/** What is connected, when it last spoke, and how to add more. */
export function SourcesPage(): ReactElement {
  const { data, error, refetch, dataUpdatedAt } = useQuery(sourcesQuery);
  const now = useNow();
  useEffect(() => {
    document.title = 'Sources · Watthour';
  }, []);
  const withPast = new Set(data?.kinds.filter(({ has_past, is_of_homes }) => has_past && is_of_homes).map(({ kind }) => kind));
  const clock: Clock | null = data ? { at: data.now, answeredAt: dataUpdatedAt, now } : null;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h1 className="text-title font-semibold">Sources</h1>
        <Button asChild>
          <Link to="/start">
            <HousePlus aria-hidden className="size-4" /> Add a home
          </Link>
        </Button>
      </div>
      {error ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : null}
      {error && data && clock ? (
        <Notice look="warn" title={`What follows is from ${ageOf(data.now, clock)}`}>
          The server does not answer now.
        </Notice>
      ) : null}
      {data && clock ? (
        <>
          <p className="text-answer font-semibold" role="status">
            {answerOf(data.sources)}
          </p>
          <Card title="Connected" note="How each source stands, when it last spoke and what it fills; looked at every few seconds.">
            {data.sources.some(({ kind }) => withPast.has(kind)) ? (
              <div className="mb-4 empty:hidden">
                <PastProgress />
              </div>
            ) : null}
            {data.sources.length > 0 ? (
              <ul aria-label="Sources">
                {data.sources.map((source) => (
                  <SourceRow key={source.name} source={source} clock={clock} hasPast={withPast.has(source.kind)} />
                ))}
              </ul>
            ) : (
              <p className="text-muted">Nothing yet. Add a device, a broker or a provider below, or import a meter's file where you add a home.</p>
            )}
          </Card>
          <Card title="Add a source" note="It is tested first; nothing is kept of the test. A password stays on this server, readable by its owner alone.">
            <Adding kinds={data.kinds} />
          </Card>
        </>
      ) : error ? null : (
        <>
          <Skeleton className="h-10 w-2/3" />
          <Skeleton className="h-48 w-full" />
          <Skeleton className="h-32 w-full" />
        </>
      )}
    </div>
  );
}
