import { queryOptions } from '@tanstack/react-query';

import { type EquipmentAnswer, type HomeEquipment, type HomePlan, type PlanChange, type PlanWeights, type RemovedEquipment, type RunDecision, type SetTariff, decidedRun, equipment, homePlan, newHomePlan, removedEquipment, setEquipment, setTariff, tariff } from '@/client';
import { liveKeys } from '@/lib/live';
import { ApiProblem, unwrap } from '@/lib/problem';

const FIVE_MINUTES_MS = 300_000;

/** The plan in force; brought up to date when a forecast of the home comes in. */
export const planQuery = (home: string) =>
  queryOptions({
    queryKey: [...liveKeys(home).forecast, 'plan'],
    queryFn: ({ signal }) => unwrap(homePlan({ path: { home }, signal })),
    refetchInterval: FIVE_MINUTES_MS,
  });

/** The plans between the cheapest and the cleanest; they are computed, and so asked for once for each plan. */
export const choicesQuery = (home: string, madeAt: string) =>
  queryOptions({
    queryKey: ['homes', home, 'choices', madeAt],
    queryFn: ({ signal }) => unwrap(newHomePlan({ path: { home }, body: { with_choices: true, keep: false }, signal })),
    staleTime: Infinity,
    retry: false,
  });

const NO_SUCH = 404;

/** What the home has that can be shifted; null: nothing was said yet, which is an answer and no failure. */
export const equipmentQuery = (home: string) =>
  queryOptions({
    queryKey: ['homes', home, 'equipment'],
    queryFn: async ({ signal }): Promise<EquipmentAnswer | null> => {
      try {
        return await unwrap(equipment({ path: { home }, signal }));
      } catch (error) {
        if (error instanceof ApiProblem && error.status === NO_SUCH) return null;
        throw error;
      }
    },
  });

/** What a person wishes otherwise. */
export type Wish =
  | { kind: 'changes'; changes: PlanChange[] }
  | { kind: 'weights'; weights: PlanWeights }
  | { kind: 'decision'; run: string; decision: RunDecision['decision'] }
  | { kind: 'anew' };

/** The new plan, which is in force at once. */
export function planned(home: string, wish: Wish): Promise<HomePlan> {
  if (wish.kind === 'decision') return unwrap(decidedRun({ path: { home, run: wish.run }, body: { decision: wish.decision } }));
  const body = wish.kind === 'changes' ? { changes: wish.changes } : wish.kind === 'weights' ? { weights: wish.weights } : {};
  return unwrap(newHomePlan({ path: { home }, body }));
}

export function keepEquipment(home: string, said: HomeEquipment): Promise<EquipmentAnswer> {
  return unwrap(setEquipment({ path: { home }, body: said }));
}

/** A home without equipment is not planned; an empty one is not kept. */
export function forgetEquipment(home: string): Promise<RemovedEquipment> {
  return unwrap(removedEquipment({ path: { home } }));
}

/** The tariff that holds now, and those before and after it. */
export const tariffQuery = (home: string) =>
  queryOptions({
    queryKey: ['homes', home, 'tariff'],
    queryFn: ({ signal }) => unwrap(tariff({ path: { home }, signal })),
  });

export function keepTariff(home: string, said: SetTariff): Promise<unknown> {
  return unwrap(setTariff({ path: { home }, body: said }));
}
