import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RotateCw, Undo2 } from 'lucide-react';
import { type ReactElement, useEffect, useState } from 'react';

import type { HomePlan, PlannedRun } from '@/client';
import { Button } from '@/components/ui/button';
import { HomeChoice } from '@/components/ui/home-choice';
import { LiveBadge } from '@/components/ui/live-badge';
import { Notice } from '@/components/ui/notice';
import { ProblemNotice } from '@/components/ui/problem';
import { SimulatedBanner } from '@/components/ui/simulated';
import { Waiting } from '@/components/ui/waiting';
import { Words } from '@/components/ui/words';
import { cn } from '@/lib/cn';
import { rememberHome } from '@/lib/homes';
import { useLive } from '@/lib/live';
import { useNow } from '@/lib/now';
import { formatNumber } from '@/lib/numbers';
import { ApiProblem } from '@/lib/problem';
import { HOUR_MS, formatAge, formatInstant } from '@/lib/time';

import { ChoicesCard } from './ChoicesCard';
import { CostCard } from './CostCard';
import { EquipmentCard } from './EquipmentCard';
import { HoursCard } from './HoursCard';
import { RunsCard } from './RunsCard';
import { TariffCard, TariffForm } from './TariffForm';
import { type Wish, equipmentQuery, planQuery, planned } from './queries';
import { gainInWords, nextInWords, spanInWords, whenInWords } from './runs';

const MINUTE_MS = 60_000;
/** Plans are made anew every half hour; one that is older than this was not. */
const OLD_MS = 45 * MINUTE_MS;

/** A wish, in words, and the one that takes it back. */
interface Asked {
  wish: Wish;
  words: string;
  undo: Wish | null;
}

function useWishes(home: string) {
  const queries = useQueryClient();
  const [done, setDone] = useState<{ asked: Asked; plan: HomePlan } | null>(null);
  const asking = useMutation({
    mutationFn: ({ wish }: Asked) => planned(home, wish),
    onMutate: () => setDone(null),
    onSuccess: (plan, asked) => {
      // What was asked for before is older than this plan, whenever its answer comes.
      void queries.cancelQueries({ queryKey: planQuery(home).queryKey });
      queries.setQueryData(planQuery(home).queryKey, plan);
      setDone({ asked, plan });
    },
  });
  const dismiss = (): void => {
    setDone(null);
    asking.reset();
  };
  return { ask: asking.mutate, asked: asking.variables, isBusy: asking.isPending, error: asking.error, dismiss, done };
}

type Wishes = ReturnType<typeof useWishes>;

const FLOATING = 'pointer-events-auto shadow-lg';

/** What became of the last wish: the new plan is there, with the way back, or the old one stays. Seen wherever one pressed, and nothing moves for it. */
function Outcome({ wishes, now }: { wishes: Wishes; now: number }): ReactElement {
  const { isBusy, asked, error, done, ask, dismiss } = wishes;
  const run = done && 'run' in done.asked.wish ? done.asked.wish.run : done?.asked.wish.kind === 'changes' ? done.asked.wish.changes[0]?.name : undefined;
  const after = done?.plan.runs.find(({ id, name }) => id === run || name === run);
  const span = after && done ? spanInWords(after, done.plan.time_zone, now) : null;
  const undo = done?.asked.undo ?? null;
  return (
    <div role="status" aria-label="Your last change" className="pointer-events-none fixed inset-x-3 bottom-[calc(4.25rem+env(safe-area-inset-bottom))] z-10 mx-auto max-w-xl md:bottom-5">
      {isBusy ? (
        <Notice title="Planning anew…" className={FLOATING}>
          {asked?.words}
        </Notice>
      ) : error ? (
        <ProblemNotice
          className={FLOATING}
          error={error}
          actions={
            <>
              {asked ? <Button onClick={() => ask(asked)}>Try again</Button> : null}
              <Button onClick={dismiss}>Keep the plan as it is</Button>
            </>
          }
        />
      ) : done ? (
        <Notice
          className={FLOATING}
          title="The new plan is in force"
          actions={
            <>
              {undo ? (
                <Button onClick={() => ask({ wish: undo, words: `Undone: ${done.asked.words}`, undo: null })}>
                  <Undo2 aria-hidden className="size-4" /> Undo
                </Button>
              ) : null}
              <Button onClick={dismiss}>Close</Button>
            </>
          }
        >
          {done.asked.words}
          {after ? (span ? ` It runs ${span}.` : ' It does not run.') : ''}
        </Notice>
      ) : null}
    </div>
  );
}

/** What a reader must know before trusting the plan. */
function Standing({ plan, age, onAnew, isBusy }: { plan: HomePlan; age: number; onAnew: () => void; isBusy: boolean }): ReactElement {
  const { misses, remarks, status, gap } = plan;
  const hasForecast = plan.is_price_forecast.some(Boolean);
  return (
    <>
      {age > OLD_MS ? (
        <Notice
          look="warn"
          title={`This plan is ${formatAge(age / HOUR_MS)} old`}
          actions={
            <Button disabled={isBusy} onClick={onAnew}>
              <RotateCw aria-hidden className="size-4" /> Plan anew
            </Button>
          }
        >
          Prices and forecasts that came since are not in it.
        </Notice>
      ) : null}
      {misses.length > 0 ? (
        <Notice look="warn" title={misses.length === 1 ? 'One wish is not quite met' : `${formatNumber(misses.length)} wishes are not quite met`}>
          <ul>
            {misses.map(({ name, words }) => (
              <li key={`${name} ${words}`}>
                {name}: <Words>{words}</Words>
              </li>
            ))}
          </ul>
        </Notice>
      ) : null}
      {remarks.length > 0 || hasForecast || status !== 'solved' ? (
        <Notice title="What this plan rests on">
          <ul className="list-disc pl-4">
            {status === 'rules' ? <li>It was made by rules of thumb, as the solver found nothing in time.</li> : null}
            {status === 'best_so_far' ? <li>It is the best found in time{gap === null ? '' : `; another could be better by at most ${formatNumber(100 * gap, 1)} %`}.</li> : null}
            {hasForecast ? <li>Prices that are not published yet are forecast; they are dashed in the picture.</li> : null}
            {remarks.map((words) => (
              <li key={words}>
                <Words>{words}</Words>
              </li>
            ))}
          </ul>
        </Notice>
      ) : null}
    </>
  );
}

interface PlannedProps {
  plan: HomePlan;
  now: number;
  age: number;
  wishes: Wishes;
}

function Planned({ plan, now, age, wishes }: PlannedProps): ReactElement {
  const { home, time_zone: timeZone, weights } = plan;
  const { ask, isBusy } = wishes;
  const appliances = useQuery(equipmentQuery(home)).data?.equipment.appliances ?? [];
  const anew = (): void => ask({ wish: { kind: 'anew' }, words: 'By what is known now.', undo: null });
  const onDeadline = (run: PlannedRun, deadline: number): void => {
    const change = (to: number): Wish => ({ kind: 'changes', changes: [{ name: run.id, deadline: new Date(to).toISOString() }] });
    const before = Date.parse(run.deadline);
    ask({ wish: change(deadline), words: `${run.name}: by ${whenInWords(deadline, timeZone, now)} instead of ${whenInWords(before, timeZone, now)}.`, undo: change(before) });
  };
  const onDecision = ({ id, name }: PlannedRun, decision: 'accept' | 'skip' | 'undo'): void => {
    const words = { accept: `${name} stays at its time.`, skip: `${name} is skipped.`, undo: `${name} may run at any time by its deadline.` }[decision];
    ask({ wish: { kind: 'decision', run: id, decision }, words, undo: decision === 'undo' ? null : { kind: 'decision', run: id, decision: 'undo' } });
  };
  return (
    <>
      <div>
        <p aria-live="polite" className={cn('text-answer max-w-4xl font-semibold text-balance', isBusy && 'opacity-60')}>
          {nextInWords(plan, now)}
        </p>
        <p className="mt-1 font-medium">{gainInWords(plan)}</p>
        <p className="text-small text-muted">
          Made {formatInstant(Date.parse(plan.made_at), timeZone, now)}, {formatAge(age / HOUR_MS)} ago; it is made anew every half hour.
        </p>
      </div>
      <Outcome wishes={wishes} now={now} />
      <Standing plan={plan} age={age} onAnew={anew} isBusy={isBusy} />
      <div aria-busy={isBusy} className={cn('grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)]', isBusy && 'opacity-60')}>
        <RunsCard
          plan={plan}
          now={now}
          isBusy={isBusy}
          onRequestNames={appliances.flatMap(({ name, on_request }) => (on_request ? [name] : []))}
          onDeadline={onDeadline}
          onDecision={onDecision}
          onRequest={(name) => ask({ wish: { kind: 'changes', changes: [{ name }] }, words: `${name} is to run.`, undo: { kind: 'changes', changes: [{ name, skip: true }] } })}
        />
        <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
          <CostCard plan={plan} />
          <TariffCard home={home} timeZone={timeZone} />
          <ChoicesCard
            plan={plan}
            isBusy={isBusy}
            onWeights={(chosen) => ask({ wish: { kind: 'weights', weights: chosen }, words: 'What counts was changed.', undo: { kind: 'weights', weights } })}
          />
        </div>
      </div>
      <HoursCard plan={plan} now={now} />
    </>
  );
}

/** What the server lacks before it can plan: the field of its problem says which. */
function lackedBy(error: unknown): 'tariff' | 'equipment' | 'home' | null {
  if (!(error instanceof ApiProblem) || (error.status !== 404 && error.status !== 409)) return null;
  return error.field === 'tariff' || error.field === 'equipment' || error.field === 'home' ? error.field : null;
}

type Lacked = ReturnType<typeof lackedBy>;

/** What was lacking when the server last said: it stays while it is asked again, as somebody may be filling in the form for it. */
function useLacked(home: string, { isPending, error }: { isPending: boolean; error: unknown }): Lacked {
  const [said, setSaid] = useState<{ home: string; lacked: Lacked }>({ home, lacked: null });
  const before = said.home === home ? said.lacked : null;
  const lacked = isPending ? before : lackedBy(error);
  if (said.home !== home || said.lacked !== lacked) setSaid({ home, lacked });
  return lacked;
}

interface PlanPageProps {
  home: string;
  onHome: (home: string) => void;
}

/** When each thing of a home runs, why, and what that costs; and how to have it otherwise. */
export function PlanPage({ home, onHome }: PlanPageProps): ReactElement {
  const query = useQuery(planQuery(home));
  const lacked = useLacked(home, query);
  const live = useLive(lacked === 'home' ? null : home);
  const wishes = useWishes(home);
  const browserNow = useNow(MINUTE_MS);
  const { data: kept, dataUpdatedAt } = query;
  const plan = lacked ? undefined : kept;
  const hasFailed = query.error !== null || lacked !== null;
  const age = plan ? 1000 * plan.age_s + Math.max(0, browserNow - dataUpdatedAt) : 0;
  const now = plan ? Date.parse(plan.made_at) + age : browserNow;

  const onKept = (hasThings: boolean): void => {
    if (plan && hasThings) wishes.ask({ wish: { kind: 'anew' }, words: 'With what can be shifted now.', undo: null });
    else void query.refetch();
  };

  useEffect(() => {
    document.title = `Plan, ${home} · Watthour`;
  }, [home]);
  useEffect(() => {
    if (kept) rememberHome(kept.home);
  }, [kept]);

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      {plan?.is_simulated ? (
        <SimulatedBanner>
          <Link to="/start" className="text-accent font-medium underline">
            Add your own home
          </Link>
        </SimulatedBanner>
      ) : null}
      <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <h1 className="text-title flex min-w-0 flex-wrap items-center gap-x-2 font-semibold">
          Plan of <HomeChoice home={home} onHome={onHome} />
        </h1>
        {lacked === 'home' ? null : <LiveBadge live={live} />}
      </header>
      {hasFailed && !plan ? (
        lacked === 'tariff' || lacked === 'equipment' ? (
          <Notice title="No plan yet">
            Watthour plans when to run what once it knows two things: what electricity costs, and what can be shifted. {lacked === 'tariff' ? 'What it costs' : 'What can be shifted'} is not known yet: say it below.
          </Notice>
        ) : (
          <ProblemNotice
            error={query.error}
            onRetry={() => void query.refetch()}
            actions={
              lacked === 'home' ? (
                <Button asChild>
                  <Link to="/start">Add a home</Link>
                </Button>
              ) : null
            }
          />
        )
      ) : null}
      {query.error && plan ? (
        <Notice look="warn" role="alert" title="Watthour does not answer">
          Shown is the plan that was known. It is asked again by itself.
        </Notice>
      ) : null}
      {lacked === 'tariff' ? <TariffForm home={home} /> : null}
      {plan ? <Planned plan={plan} now={now} age={age} wishes={wishes} /> : hasFailed ? null : <Waiting name="the plan" failure={query.failureReason} />}
      {plan || (hasFailed && lacked !== 'home') ? <EquipmentCard home={home} onKept={onKept} /> : null}
      {plan ? (
        <nav aria-label="More about this home" className="text-small flex flex-wrap gap-x-5 gap-y-1">
          <Link to="/savings/$home" params={{ home }} className="text-accent py-2 font-medium underline">
            What plans have saved
          </Link>
        </nav>
      ) : null}
    </div>
  );
}
