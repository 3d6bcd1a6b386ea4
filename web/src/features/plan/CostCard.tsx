import type { ReactElement } from 'react';

import type { HomePlan } from '@/client';
import { Card } from '@/components/ui/card';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { formatAmount, formatMoney } from '@/lib/money';
import { formatNumber, formatQuantity } from '@/lib/numbers';

/** What the hours that are planned come to, beside everything begun at once. */
export function CostCard({ plan }: { plan: HomePlan }): ReactElement {
  const { at_once, cost, carbon_kg, currency, wear, peak_kw, things } = plan;
  const held = things.flatMap(({ kind, name, stored_kwh }) => (kind === 'battery' && stored_kwh ? [`the ${name} holds ${formatQuantity(stored_kwh.at(-1), 'kWh', 1)} at the end`] : []));
  const beside = [...held, ...(wear > 0 ? [`its use wears it by ${formatMoney(wear, currency)}`] : [])];
  return (
    <Card title="What it comes to" note="all that the home buys in the hours planned, as foreseen">
      <Table aria-label="What the plan comes to">
        <thead>
          <tr>
            <Head className="text-left">Way</Head>
            <Head unit={currency}>Cost</Head>
            <Head unit="kg CO2">Carbon</Head>
          </tr>
        </thead>
        <tbody>
          <tr className="font-semibold">
            <RowHead className="font-semibold">This plan</RowHead>
            <Value>{formatAmount(cost, currency)}</Value>
            <Value>{formatNumber(carbon_kg, 2)}</Value>
          </tr>
          <tr>
            <RowHead>Everything at once</RowHead>
            <Value>{formatAmount(at_once.cost, currency)}</Value>
            <Value>{formatNumber(at_once.carbon_kg, 2)}</Value>
          </tr>
        </tbody>
      </Table>
      <p className="text-small text-muted mt-2">
        At once: each run begins as soon as it may, batteries rest. Highest import of the plan: {formatQuantity(peak_kw, 'kW', 1)}.
        {beside.length > 0 ? ` Not in the cost: ${beside.join(', ')}.` : ''}
      </p>
    </Card>
  );
}
