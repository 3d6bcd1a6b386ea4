import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { GraduationCap } from 'lucide-react';
import { type ReactElement, useEffect, useRef } from 'react';

import { Button } from '@/components/ui/button';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';

import { begin, trainingQuery } from './queries';

/** Trains a site's model at once and says whether the new model serves. */
export function TrainNow({ region }: { region: string }): ReactElement {
  const queries = useQueryClient();
  const look = trainingQuery(region);
  const { data } = useQuery(look);
  const beginning = useMutation({
    mutationFn: () => begin(region),
    onSettled: () => queries.invalidateQueries({ queryKey: look.queryKey }),
  });
  const isRunning = data?.state === 'running';
  const isAtPast = data?.state === 'done' && data.step !== null;
  const before = useRef({ isRunning, isAtPast });
  useEffect(() => {
    const hasEnded = (before.current.isRunning && !isRunning) || (before.current.isAtPast && !isAtPast);
    before.current = { isRunning, isAtPast };
    if (hasEnded) void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== look.queryKey[0] });
  }, [isRunning, isAtPast, queries, look.queryKey]);
  return (
    <div className="grid gap-3">
      <Button look="primary" className="justify-self-start" disabled={isRunning || beginning.isPending} onClick={() => beginning.mutate()}>
        <GraduationCap aria-hidden className="size-4" />
        {isRunning ? 'Training…' : 'Train now'}
      </Button>
      <div role="status" className="grid gap-3 empty:hidden">
        {isRunning ? <p className="text-small text-muted">{data.step ?? 'Started.'}</p> : null}
        {data?.state === 'done' ? <Notice title="Training finished">{data.verdict}</Notice> : null}
        {isAtPast ? <p className="text-small text-muted">Past days are forecast in the background: {data.step}.</p> : null}
        {data?.state === 'failed' ? (
          <Notice look="bad" title="Training failed">
            {data.problem}
          </Notice>
        ) : null}
      </div>
      {beginning.error && !isRunning ? <ProblemNotice error={beginning.error} /> : null}
    </div>
  );
}
