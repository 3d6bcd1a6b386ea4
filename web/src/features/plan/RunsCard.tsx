import { Check, Play, SkipForward, Undo2 } from 'lucide-react';
import { type ReactElement, useId } from 'react';

import type { HomePlan, PlannedRun } from '@/client';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { formatCarbon, formatMoney } from '@/lib/money';
import { formatEnergy } from '@/lib/usage';

import { deadlinesOf, inOrder, spanInWords, whenInWords } from './runs';

/** What a press on a run asks for. */
export interface RunWishes {
  onDeadline: (run: PlannedRun, deadline: number) => void;
  onDecision: (run: PlannedRun, decision: 'accept' | 'skip' | 'undo') => void;
  onRequest: (name: string) => void;
}

const STATES = {
  planned: { look: 'plain', words: 'planned' },
  accepted: { look: 'accent', words: 'accepted' },
  skipped: { look: 'warn', words: 'skipped' },
  running: { look: 'good', words: 'running' },
  done: { look: 'good', words: 'done' },
} as const;

interface RunProps extends RunWishes {
  run: PlannedRun;
  plan: HomePlan;
  now: number;
  isBusy: boolean;
}

function Deadline({ run, plan, now, isBusy, onDeadline }: RunProps): ReactElement {
  const id = useId();
  const own = Date.parse(run.deadline);
  return (
    <span className="text-small inline-flex items-center gap-2">
      <label htmlFor={id} className="text-muted">
        {run.kind === 'car' ? 'Leaves' : 'Done by'} <span className="sr-only">({run.name})</span>
      </label>
      <select
        id={id}
        value={own}
        disabled={isBusy}
        onChange={({ target }) => onDeadline(run, Number(target.value))}
        className="rounded-control border-control-line bg-surface h-10 min-w-0 border px-2 font-medium disabled:opacity-45"
      >
        {deadlinesOf(run, plan, now).map((deadline) => (
          <option key={deadline} value={deadline}>
            {whenInWords(deadline, plan.time_zone, now)}
          </option>
        ))}
      </select>
    </span>
  );
}

function Actions(props: RunProps): ReactElement | null {
  const { run, isBusy, onDecision } = props;
  if (run.state === 'running' || run.state === 'done') return null;
  const of = <span className="sr-only">{run.name}</span>;
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2">
      {run.state === 'skipped' ? null : <Deadline {...props} />}
      {run.state === 'planned' ? (
        <>
          <Button disabled={isBusy} onClick={() => onDecision(run, 'accept')}>
            <Check aria-hidden className="size-4" /> Accept {of}
          </Button>
          <Button disabled={isBusy} onClick={() => onDecision(run, 'skip')}>
            <SkipForward aria-hidden className="size-4" /> Skip {of}
          </Button>
        </>
      ) : (
        <Button disabled={isBusy} onClick={() => onDecision(run, 'undo')}>
          <Undo2 aria-hidden className="size-4" /> {run.state === 'skipped' ? 'Run after all' : 'Let it move again'} {of}
        </Button>
      )}
    </div>
  );
}

function Run(props: RunProps): ReactElement {
  const { run, plan, now } = props;
  const { look, words } = STATES[run.state];
  const span = spanInWords(run, plan.time_zone, now);
  return (
    <li className="border-line border-b py-3 first:pt-0 last:border-b-0 last:pb-0" data-run={run.id}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-3 gap-y-1">
        <h3 className="min-w-0 font-semibold wrap-anywhere">{run.name}</h3>
        <span className="flex flex-wrap gap-1.5">
          <Badge look={look}>{words}</Badge>
          {run.is_estimated && (run.state === 'running' || run.state === 'done') ? <Badge className="hatched">as planned, not measured</Badge> : null}
        </span>
      </div>
      <p className="font-medium">{span ?? 'It does not run.'}</p>
      <p className="text-small text-muted wrap-anywhere">{run.reason}</p>
      {span === null ? null : (
        <p className="text-small">
          {[formatEnergy(run.energy_kwh), formatMoney(run.cost, plan.currency), ...(run.carbon_kg === null ? [] : [`${formatCarbon(run.carbon_kg)} CO2`])].join(' · ')}
        </p>
      )}
      <Actions {...props} />
    </li>
  );
}

interface RunsCardProps extends RunWishes {
  plan: HomePlan;
  now: number;
  isBusy: boolean;
  /** Names of things that run only when they are asked for. */
  onRequestNames: readonly string[];
}

/** What runs next, when and why; a deadline or a skip is one press away. */
export function RunsCard({ plan, onRequestNames, ...rest }: RunsCardProps): ReactElement {
  const { onRequest, isBusy } = rest;
  const waiting = onRequestNames.filter((name) => !plan.runs.some((run) => run.name === name && run.state !== 'done' && run.state !== 'skipped'));
  return (
    <Card title="Next runs" note="when each thing runs, and why">
      {plan.runs.length === 0 ? (
        <p className="text-muted">Nothing is to run in the hours that are planned.</p>
      ) : (
        <ul aria-label="Runs">
          {inOrder(plan.runs).map((run) => (
            <Run key={run.id} run={run} plan={plan} {...rest} />
          ))}
        </ul>
      )}
      {waiting.length > 0 ? (
        <div className="border-line mt-3 flex flex-wrap items-center gap-2 border-t pt-3">
          <span className="text-small text-muted">Runs when you ask for it:</span>
          {waiting.map((name) => (
            <Button key={name} disabled={isBusy} onClick={() => onRequest(name)}>
              <Play aria-hidden className="size-4" /> {name}
            </Button>
          ))}
        </div>
      ) : null}
    </Card>
  );
}
