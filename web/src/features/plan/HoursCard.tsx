import { ChartSpline, Download, Table2 } from 'lucide-react';
import { type ReactElement, type ReactNode, useMemo, useState } from 'react';

import { Picture } from '@/charts/Picture';
import type { HomePlan } from '@/client';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { Head, RowHead, Table, Value } from '@/components/ui/table';
import { cn } from '@/lib/cn';
import { download } from '@/lib/csv';
import { digitsFor, formatNumber, formatQuantity } from '@/lib/numbers';
import { HOUR_MS, formatClock, formatShortDay, formatSpan, localDay } from '@/lib/time';

import { type PlanStep, csvOfSteps, heightOf, planDrawing, stepsOf } from './steps';

const VIEWS = [
  { value: 'picture', label: <><ChartSpline aria-hidden className="size-4" /> Picture</> },
  { value: 'table', label: <><Table2 aria-hidden className="size-4" /> Table</> },
] as const;
const PAGE_HOURS = 6;
const LEAST_KW = 0.005;

const kw = (value: number): string => formatQuantity(value, 'kW', 2);

/** What runs in a step, with the power each thing draws. */
function runningIn({ things }: HomePlan, { thingsKw }: PlanStep): string {
  const shown = things.flatMap(({ name }, index) => {
    const power = thingsKw[index] ?? 0;
    if (Math.abs(power) < LEAST_KW) return [];
    return [power < 0 ? `${name} gives ${kw(-power)}` : `${name} ${kw(power)}`];
  });
  return shown.length > 0 ? shown.join(', ') : 'nothing planned';
}

function storedIn({ things }: HomePlan, { storedKwh }: PlanStep): string[] {
  return things.flatMap(({ kind, name }, index) => (kind === 'battery' ? [`${name} ${formatQuantity(storedKwh[index], 'kWh', 1)}`] : []));
}

function Item({ name, children, swatch }: { name: string; children: ReactNode; swatch?: string }): ReactElement {
  return (
    <div className="min-w-0">
      <dt className="text-muted flex items-center gap-1.5">
        {swatch ? <span aria-hidden className={cn('h-0.5 w-4 shrink-0 rounded', swatch)} /> : null}
        {name}
      </dt>
      <dd className="truncate font-medium">{children}</dd>
    </div>
  );
}

interface PartProps {
  plan: HomePlan;
  steps: readonly PlanStep[];
}

/** The chosen step in values; its size never changes with the step. */
function Readout({ plan, step }: { plan: HomePlan; step: PlanStep | undefined }): ReactElement {
  const hasBattery = plan.things.some(({ kind }) => kind === 'battery');
  const price = step ? formatQuantity(step.price, `${plan.currency}/kWh`, digitsFor([step.price])) : '–';
  const net = step && step.exportKw > step.importKw ? `${kw(step.exportKw)} sold` : `${kw(step?.importKw ?? Number.NaN)} bought`;
  return (
    <dl className="text-small mb-2 grid grid-cols-2 gap-x-4 gap-y-1.5 sm:grid-cols-[repeat(auto-fit,minmax(8rem,1fr))]">
      <Item name={step ? formatShortDay(step.start, plan.time_zone) : 'Time'}>{step ? formatSpan(step.start, step.end, plan.time_zone) : '–'}</Item>
      <Item name={step?.isForecast ? 'Price, forecast' : 'Price'} swatch={step?.isForecast ? 'bg-price-forecast' : 'bg-price'}>
        {price}
      </Item>
      {plan.carbon === null ? null : (
        <Item name="Carbon" swatch="bg-carbon-forecast">
          {formatQuantity(step?.carbon, 'g/kWh')}
        </Item>
      )}
      <Item name="Whole home">{net}</Item>
      {hasBattery ? (
        <Item name="Stored after it" swatch="bg-battery">
          {step ? storedIn(plan, step).join(', ') : '–'}
        </Item>
      ) : null}
      <div className="col-span-full min-w-0">
        <dt className="text-muted">Running</dt>
        <dd className="line-clamp-2 min-h-10 font-medium">{step ? runningIn(plan, step) : '–'}</dd>
      </div>
    </dl>
  );
}

function spokenOf(plan: HomePlan, step: PlanStep): string {
  const price = `price ${formatQuantity(step.price, `${plan.currency}/kWh`, digitsFor([step.price]))}${step.isForecast ? ', forecast' : ''}`;
  const carbon = step.carbon === null ? [] : [`carbon ${formatQuantity(step.carbon, 'gCO2e/kWh')}`];
  const when = `${formatShortDay(step.start, plan.time_zone)}, ${formatSpan(step.start, step.end, plan.time_zone)}`;
  return [when, price, ...carbon, ...storedIn(plan, step), runningIn(plan, step)].join(', ');
}

function StepsPicture({ plan, steps, now }: PartProps & { now: number }): ReactElement {
  const [chosen, setChosen] = useState<number | null>(null);
  const drawing = useMemo(() => planDrawing(plan, steps, now), [plan, steps, now]);
  const places = useMemo(() => steps.map(({ start, end }) => (start + end) / 2), [steps]);
  const found = steps.findIndex(({ start, end }) => (chosen === null ? start <= now && now < end : start === chosen));
  const selected = Math.max(0, found);
  const step = steps[selected];
  const dots = useMemo(() => {
    if (!step) return [];
    const price = { panel: 'price', y: step.price, colour: step.isForecast ? ('price-forecast' as const) : ('price' as const) };
    return [price, ...(step.carbon === null ? [] : [{ panel: 'carbon', y: step.carbon, colour: 'carbon-forecast' as const }])];
  }, [step]);
  return (
    <>
      <Readout plan={plan} step={step} />
      <Picture
        label="Chart of the plan; arrow keys choose a step"
        drawing={drawing}
        places={places}
        selected={selected}
        onSelect={(index) => setChosen(steps[index]?.start ?? null)}
        spoken={step ? spokenOf(plan, step) : ''}
        dots={dots}
        page={Math.max(1, Math.round((PAGE_HOURS * HOUR_MS) / (plan.step_minutes * 60_000)))}
        height={heightOf(drawing)}
        className={cn(plan.is_simulated && 'hatched')}
      />
    </>
  );
}

function StepsTable({ plan, steps }: PartProps): ReactElement {
  const priceDigits = digitsFor(steps.map(({ price }) => price));
  const head = 'sticky top-0 z-1';
  const days = [...new Set(steps.map(({ start }) => localDay(start, plan.time_zone)))];
  const columns = 7 + (plan.carbon === null ? 0 : 1) + plan.things.length + plan.things.filter(({ kind }) => kind === 'battery' || kind === 'heat').length;
  return (
    <Table aria-label="The plan in numbers" boxClassName="max-h-[75svh] border-line border-b">
      <thead>
        <tr>
          <Head className="sticky top-0 left-0 z-2 text-left">Time</Head>
          <Head unit={`${plan.currency}/kWh`} className={head}>
            Price
          </Head>
          <Head unit={`${plan.currency}/kWh`} className={head}>
            Export price
          </Head>
          {plan.carbon === null ? null : (
            <Head unit="g/kWh" className={head}>
              Carbon
            </Head>
          )}
          {['Bought', 'Sold', 'Used anyway', 'Sun'].map((name) => (
            <Head key={name} unit="kW" className={head}>
              {name}
            </Head>
          ))}
          {plan.things.map(({ name, kind }) => [
            <Head key={name} unit="kW" className={head}>
              {name}
            </Head>,
            kind === 'battery' || kind === 'heat' ? (
              <Head key={`${name} after it`} unit={kind === 'battery' ? 'kWh' : '°C'} className={head}>
                {name} after it
              </Head>
            ) : null,
          ])}
        </tr>
      </thead>
      {days.map((day) => {
        const here = steps.filter(({ start }) => localDay(start, plan.time_zone) === day);
        return (
          <tbody key={day}>
            <tr>
              <th scope="rowgroup" colSpan={columns} className="border-line border-b pt-4 pb-1.5 text-left font-semibold first:pl-4 sm:first:pl-5">
                {formatShortDay(here[0]?.start ?? 0, plan.time_zone)}
              </th>
            </tr>
            {here.map((step) => (
              <tr key={step.start} data-time={new Date(step.start).toISOString()}>
                <RowHead className="bg-surface sticky left-0 whitespace-nowrap">{formatClock(step.start, plan.time_zone)}</RowHead>
                <Value>
                  {formatNumber(step.price, priceDigits)}
                  {step.isForecast ? <span className="text-muted"> forecast</span> : null}
                </Value>
                <Value>{formatNumber(step.exportPrice, priceDigits)}</Value>
                {plan.carbon === null ? null : <Value>{formatNumber(step.carbon)}</Value>}
                <Value>{formatNumber(step.importKw, 2)}</Value>
                <Value>{formatNumber(step.exportKw, 2)}</Value>
                <Value>{formatNumber(step.loadKw, 2)}</Value>
                <Value>{formatNumber(step.solarKw, 2)}</Value>
                {plan.things.map(({ name, kind }, index) => [
                  <Value key={name}>{formatNumber(step.thingsKw[index], 2)}</Value>,
                  kind === 'battery' || kind === 'heat' ? (
                    <Value key={`${name} after it`}>{formatNumber(kind === 'battery' ? step.storedKwh[index] : step.temperatureC[index], 1)}</Value>
                  ) : null,
                ])}
              </tr>
            ))}
          </tbody>
        );
      })}
    </Table>
  );
}

/** The hours that are planned: runs above price, carbon and battery, with their table and their file. */
export function HoursCard({ plan, now }: { plan: HomePlan; now: number }): ReactElement {
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const steps = useMemo(() => stepsOf(plan), [plan]);
  const save = (): void => download(`watthour-${plan.home}-plan.csv`, csvOfSteps(plan, steps));
  return (
    <Card
      title="The hours ahead"
      note={`in steps of ${formatNumber(plan.step_minutes)} minutes`}
      actions={
        <>
          <Choice label="Show as" value={view} options={VIEWS} onChange={setView} />
          <Button square look="quiet" aria-label="Download the plan as CSV" title="Download CSV" onClick={save}>
            <Download aria-hidden className="size-5" />
          </Button>
        </>
      }
    >
      {view === 'picture' ? <StepsPicture plan={plan} steps={steps} now={now} /> : <StepsTable plan={plan} steps={steps} />}
    </Card>
  );
}
