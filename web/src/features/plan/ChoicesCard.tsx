import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useId, useState } from 'react';

import type { HomePlan, PlanWeights } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Waiting } from '@/components/ui/waiting';
import { Skeleton } from '@/components/ui/skeleton';
import { Words } from '@/components/ui/words';
import { differenceInWords, formatMoney } from '@/lib/money';
import { formatNumber } from '@/lib/numbers';
import { ApiProblem } from '@/lib/problem';

import { choicesQuery } from './queries';

type Option = HomePlan['choices'][number] & { carbon_weight: number };

/** The plans that a weight leads to, from the cheapest to the cleanest. */
export function optionsOf({ choices }: Pick<HomePlan, 'choices'>): Option[] {
  return choices.flatMap((choice) => (choice.carbon_weight === null ? [] : [{ ...choice, carbon_weight: choice.carbon_weight }]));
}

/** The last of them that counts carbon no higher than the plan in force does. */
export function chosenOf(options: readonly Option[], weights: PlanWeights): number {
  const money = weights.money ?? 1;
  const carbon = money > 0 ? (weights.carbon ?? 0) / money : Infinity; // where money does not count, the cleanest
  return Math.max(0, options.findLastIndex(({ carbon_weight }) => carbon_weight <= carbon));
}

function inWords({ more_money, less_carbon_kg }: Option, currency: string): string {
  return differenceInWords({ money: -more_money, carbonKg: less_carbon_kg }, currency) ?? 'the cheapest';
}

interface SliderProps {
  options: readonly Option[];
  plan: HomePlan;
  isBusy: boolean;
  onWeights: (weights: PlanWeights) => void;
}

function Slider({ options, plan, isBusy, onWeights }: SliderProps): ReactElement {
  const inForce = chosenOf(options, plan.weights);
  const [moved, setMoved] = useState<number | null>(null);
  const id = useId();
  const at = Math.min(moved ?? inForce, options.length - 1);
  const option = options[at];
  if (!option) return <></>;
  const words = at === 0 ? 'The cheapest plan' : `Beside the cheapest: ${inWords(option, plan.currency)}`;
  return (
    <>
      <label htmlFor={id} className="text-small font-medium">
        From the cheapest to the cleanest
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={options.length - 1}
        step={1}
        value={at}
        aria-valuetext={words}
        onChange={({ target }) => setMoved(Number(target.value))}
        className="accent-accent block h-10 w-full"
      />
      <div aria-hidden className="text-small text-muted flex justify-between">
        <span>money</span>
        <span>carbon</span>
      </div>
      <p aria-live="polite" className="mt-2 min-h-12 font-medium">
        {words}.
      </p>
      <p className="text-small text-muted min-h-10">
        {at === inForce ? 'What counts now leads to this one.' : `A kilogram of CO2 less would count ${formatMoney(option.carbon_weight, plan.currency)}.`}
      </p>
      <Button
        look="primary"
        className="mt-2"
        disabled={isBusy || at === inForce}
        onClick={() => {
          onWeights({ ...plan.weights, money: 1, carbon: option.carbon_weight });
          setMoved(null);
        }}
      >
        Plan so from now on
      </Button>
    </>
  );
}

/** Money or carbon, by the plans there really are between the cheapest and the cleanest. */
export function ChoicesCard({ plan, isBusy, onWeights }: Omit<SliderProps, 'options'>): ReactElement {
  // The server plans one thing at a time: what nobody asked for would keep waiting who changes a deadline.
  const [isAsked, setIsAsked] = useState(false);
  const found = useQuery({ ...choicesQuery(plan.home, plan.made_at), enabled: isAsked && plan.carbon !== null });
  const options = found.data ? optionsOf(found.data) : [];
  const problem = found.error;
  return (
    <Card title="Money or carbon" note={plan.carbon === null ? undefined : plan.weights.money === 0 ? 'money does not count now' : `a kilogram of CO2 less counts ${formatMoney((plan.weights.carbon ?? 0) / (plan.weights.money ?? 1), plan.currency)} now`}>
      {plan.carbon === null ? (
        <p className="text-muted">Planned by money alone: nothing tells the carbon intensity where this home is. The page Sources shows what could.</p>
      ) : !isAsked ? (
        <>
          <p className="text-muted mb-2">What would a cleaner plan cost? The plans between the cheapest and the cleanest are computed in some seconds.</p>
          <Button onClick={() => setIsAsked(true)}>Compare plans</Button>
        </>
      ) : problem ? (
        <div>
          <p className="text-muted">
            The choices could not be computed; the plan above holds. <Words>{problem instanceof ApiProblem ? `${problem.detail} ${problem.remedy ?? ''}` : problem.message}</Words>
          </p>
          <Button className="mt-2" onClick={() => void found.refetch()}>
            Try again
          </Button>
        </div>
      ) : !found.data ? (
        <Waiting name="the choices" failure={found.failureReason}>
          <Skeleton className="h-36 w-full" />
        </Waiting>
      ) : options.length < 2 ? (
        <p className="text-muted">
          {found.data.choices.length > 1 ? `${formatNumber(found.data.choices.length)} plans differ, but no weight leads to more than one of them.` : 'The cheapest plan is the cleanest as well.'}
        </p>
      ) : (
        <Slider options={options} plan={plan} isBusy={isBusy} onWeights={onWeights} />
      )}
    </Card>
  );
}
