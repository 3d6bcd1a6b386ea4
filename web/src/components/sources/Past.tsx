import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { History } from 'lucide-react';
import { type ReactElement, useEffect, useId, useRef } from 'react';

import { Button } from '@/components/ui/button';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { Words } from '@/components/ui/words';
import { formatNumber } from '@/lib/numbers';
import { bringPast, pastQuery } from '@/lib/sources';
import { sentence } from '@/lib/words';

/** Begins to bring in the past of a thing, or of all. */
export function useBringPast() {
  const queries = useQueryClient();
  return useMutation({ mutationFn: bringPast, onSettled: () => queries.invalidateQueries({ queryKey: pastQuery.queryKey }) });
}

/** How far the past of a home, or of all, is brought in, then what it has brought, or why it did not. */
export function PastProgress({ home = null }: { home?: string | null }): ReactElement | null {
  const { data } = useQuery(pastQuery);
  const queries = useQueryClient();
  const label = useId();
  const isRunning = data?.state === 'running';
  const wasRunning = useRef(isRunning);
  useEffect(() => {
    const hasEnded = wasRunning.current && !isRunning;
    wasRunning.current = isRunning;
    if (hasEnded) void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== pastQuery.queryKey[0] });
  }, [isRunning, queries]);
  if (!data || data.state === 'idle') return null;
  const channels = data.channels.filter(({ channel }) => home === null || channel.startsWith(`home.${home}.`));
  const count = channels.reduce((sum, each) => sum + each.new, 0);
  const findings = channels.flatMap((each) => each.findings);
  if (data.state === 'failed')
    return (
      <Notice look="warn" role="status" title="The past could not be brought in">
        <Words>{sentence(data.problem ?? 'it was stopped')}</Words> {data.remedy ? <Words>{data.remedy}</Words> : null}
      </Notice>
    );
  if (isRunning)
    return (
      <div role="status" className="text-small">
        <p id={label} className="text-muted mb-1 tabular-nums">
          Bringing in the past: {Math.floor(100 * data.share)} %, {formatNumber(count)} readings so far.
        </p>
        <progress aria-labelledby={label} value={data.share} max={1} className="accent-accent h-2 w-full" />
      </div>
    );
  if (channels.length === 0) return null;
  return (
    <Notice role="status" title="The past is here">
      {count > 0 ? `${formatNumber(count)} readings were new.` : 'It had nothing that was not known already.'}
      {findings.length > 0 ? (
        <ul className="mt-1">
          {findings.map((finding) => (
            <li key={finding}>{sentence(finding)}</li>
          ))}
        </ul>
      ) : null}
    </Notice>
  );
}

/** Brings in the past of a thing, or of all that was added. */
export function BringPast({ thing = null }: { thing?: string | null }): ReactElement {
  const { data } = useQuery(pastQuery);
  const bringing = useBringPast();
  const isRunning = bringing.isPending || data?.state === 'running';
  return (
    <div className="mt-2">
      <Button look="quiet" disabled={isRunning} onClick={() => bringing.mutate(thing)}>
        <History aria-hidden className="size-4" /> {thing === null ? 'Bring in the past' : 'Bring in its past'}
      </Button>
      {bringing.error ? <ProblemNotice error={bringing.error} className="mt-2" /> : null}
    </div>
  );
}
