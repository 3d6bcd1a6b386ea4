// @vitest-environment jsdom
import { focusManager } from '@tanstack/react-query';
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';

import type { HomePlan } from '@/client';
import * as csv from '@/lib/csv';
import { type Answers, openPage, problem } from '@/test/page';
import { CHOICES, TARIFF, answersOfPlan, makeEquipment, makePlan, makeRun, withDeadline } from '@/test/plan';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

beforeEach(() => localStorage.clear());

const PLAN = '/api/v1/homes/flat/plan';
const DISHWASHER = 'dishwasher-20261121-1';

function open(answers: Answers = {}): string[] {
  return openPage('/plan/flat', { ...answersOfPlan(), ...answers });
}

/** A server that answers GET with one plan, and keeps what a POST is told. */
function planner(first: HomePlan, answer: (body: Record<string, unknown>) => unknown): { answers: Answers; told: Record<string, unknown>[] } {
  const told: Record<string, unknown>[] = [];
  let plan: unknown = first;
  const post = async (request: Request): Promise<unknown> => {
    const body = (await request.json()) as Record<string, unknown>;
    told.push(body);
    const answered = await answer(body);
    if (!(answered instanceof Response) && body['keep'] !== false) plan = answered;
    return answered;
  };
  return {
    told,
    answers: { [PLAN]: (request) => (request.method === 'GET' ? plan : post(request)), [`${PLAN}/runs/${DISHWASHER}`]: post },
  };
}

async function runOf(name: string): Promise<HTMLElement> {
  const runs = await screen.findByRole('list', { name: 'Runs' });
  const found = within(runs).getByRole('heading', { name }).closest('li');
  if (!found) throw new Error(`no run of ${name}`);
  return found;
}

test('what is next stands first, with what it comes to beside everything at once', async () => {
  openPage('/plan', answersOfPlan());
  expect(await screen.findByText(/^Next: car tomorrow 00:00, in 9\sh\.$/)).toBeVisible();
  expect(window.location.pathname).toBe('/plan/flat');
  expect(screen.getByText(/^Expected beside starting everything at once: 0\.29\sEUR less and 0\.50\skg less CO2\.$/)).toBeVisible();
  const costs = screen.getByRole('table', { name: 'What the plan comes to' });
  expect(within(costs).getByRole('row', { name: /^Everything at once/ })).toHaveTextContent('4.911.90');
});

test('a run says when, why and what it costs', async () => {
  open();
  const run = await runOf('dishwasher');
  expect(within(run).getByText('tomorrow 02:15–04:15')).toBeVisible();
  expect(within(run).getByText(/cheapest 2 h before 07:00, also 18 % cleaner/)).toBeVisible();
  expect(within(run).getByText(/^1\.20\skWh · 0\.24\sEUR · 0\.07\skg CO2$/)).toBeVisible();
});

test('another deadline gives another plan at once, and may be undone', async () => {
  const { answers, told } = planner(makePlan(), ({ changes }) => {
    const [{ deadline }] = changes as [{ deadline: string }];
    return deadline.startsWith('2026-11-22T09') ? withDeadline(makePlan(), DISHWASHER, '2026-11-22T09:00:00Z', '2026-11-22T05:00:00Z', '2026-11-22T07:00:00Z') : makePlan();
  });
  open(answers);
  const run = await runOf('dishwasher');
  await userEvent.selectOptions(within(run).getByRole('combobox', { name: /^Done by/ }), 'tomorrow 10:00');
  expect(told).toEqual([{ changes: [{ name: DISHWASHER, deadline: '2026-11-22T09:00:00.000Z' }] }]);
  const outcome = screen.getByRole('status', { name: 'Your last change' });
  expect(await within(outcome).findByText(/dishwasher: by tomorrow 10:00 instead of tomorrow 07:00\. It runs tomorrow 06:00–08:00\.$/)).toBeVisible();
  expect(within(await runOf('dishwasher')).getByText('tomorrow 06:00–08:00')).toBeVisible();
  await userEvent.click(within(outcome).getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(told.at(-1)).toEqual({ changes: [{ name: DISHWASHER, deadline: '2026-11-22T06:00:00.000Z' }] }));
  expect(await within(outcome).findByText(/^Undone: /)).toBeVisible();
  expect(within(await runOf('dishwasher')).getByText('tomorrow 02:15–04:15')).toBeVisible();
});

test('a wish that cannot be met says what to relax, and the plan in force stays', async () => {
  const impossible = { title: 'Not possible together', detail: 'dishwasher and the import limit contradict each other', remedy: 'dishwasher can be over by 22:15.' };
  const { answers } = planner(makePlan(), () => problem(400, impossible));
  open(answers);
  await userEvent.selectOptions(within(await runOf('dishwasher')).getByRole('combobox', { name: /^Done by/ }), '22:00');
  expect(await screen.findByText(/dishwasher can be over by 22:15/)).toBeVisible();
  const run = await runOf('dishwasher');
  expect(within(run).getByText('tomorrow 02:15–04:15')).toBeVisible();
  expect(within(run).getByRole('combobox', { name: /^Done by/ })).toHaveDisplayValue('tomorrow 07:00');
  await userEvent.click(screen.getByRole('button', { name: 'Keep the plan as it is' }));
  expect(screen.queryByText(/dishwasher can be over/)).toBeNull();
});

test('a run is skipped by one press, and runs after all by another', async () => {
  const skipped = makePlan({ runs: [makeRun({ state: 'skipped', start: null, end: null, reason: 'skipped' })] });
  const { answers, told } = planner(makePlan(), ({ decision }) => (decision === 'skip' ? skipped : makePlan()));
  open(answers);
  await userEvent.click(await screen.findByRole('button', { name: 'Skip dishwasher' }));
  expect(await screen.findByText('It does not run.')).toBeVisible();
  expect(within(await runOf('dishwasher')).queryByRole('combobox')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Run after all dishwasher' }));
  expect(await screen.findByRole('button', { name: 'Skip dishwasher' })).toBeVisible();
  expect(told).toEqual([{ decision: 'skip' }, { decision: 'undo' }]);
});

test('what is running, done or as planned only cannot be changed and says so', async () => {
  const runs = [makeRun({ state: 'done', is_estimated: true }), makeRun({ id: 'car-1', name: 'car', kind: 'car', state: 'running' })];
  open({ [PLAN]: () => makePlan({ runs }) });
  expect(await screen.findByText('Running now: car until 04:15.')).toBeVisible();
  const run = await runOf('dishwasher');
  expect(within(run).getByText('as planned, not measured')).toBeVisible();
  expect(within(run).queryByRole('button')).toBeNull();
});

test('what runs on request is asked for by its name', async () => {
  const { answers, told } = planner(makePlan(), () => makePlan({ runs: [makeRun({ id: 'w', name: 'washing machine' })] }));
  open(answers);
  await userEvent.click(await screen.findByRole('button', { name: 'washing machine' }));
  expect(await runOf('washing machine')).toBeVisible();
  expect(told).toEqual([{ changes: [{ name: 'washing machine' }] }]);
  expect(screen.queryByRole('button', { name: 'washing machine' })).toBeNull();
});

test('the slider goes through the plans there are, and plans by the one that is taken', async () => {
  const { answers, told } = planner(makePlan(), ({ with_choices, weights }) => (with_choices ? makePlan({ choices: CHOICES }) : makePlan({ weights: weights as HomePlan['weights'] })));
  open(answers);
  await userEvent.click(await screen.findByRole('button', { name: 'Compare plans' }));
  const slider = await screen.findByRole('slider', { name: 'From the cheapest to the cleanest' });
  expect(slider).toHaveAttribute('aria-valuetext', 'The cheapest plan');
  const take = screen.getByRole('button', { name: 'Plan so from now on' });
  expect(take).toBeDisabled();
  fireEvent.change(slider, { target: { value: '1' } });
  expect(slider).toHaveAttribute('aria-valuetext', 'Beside the cheapest: 0.10\u00a0EUR more but 0.80\u00a0kg less CO2');
  await userEvent.click(take);
  await waitFor(() => expect(told).toContainEqual({ weights: { money: 1, carbon: 0.2, peak: 0 } }));
  expect(told[0]).toEqual({ with_choices: true, keep: false });
});

test('without carbon the plan is by money alone, and says so', async () => {
  const runs = [makeRun({ carbon_kg: null })];
  open({ [PLAN]: () => makePlan({ carbon: null, carbon_kg: null, at_once: { cost: 4.91, carbon_kg: null }, runs }) });
  expect(await screen.findByText(/^Planned by money alone/)).toBeVisible();
  expect(screen.getByText(/^Expected beside starting everything at once: 0\.29\sEUR less\.$/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Compare plans' })).toBeNull();
});

test('an old plan says its age and is made anew by a press', async () => {
  const { answers, told } = planner(makePlan({ age_s: 3 * 3600 }), () => makePlan());
  open(answers);
  expect(await screen.findByText(/^This plan is 3\sh old$/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Plan anew' }));
  await waitFor(() => expect(screen.queryByText(/^This plan is 3\sh old$/)).toBeNull());
  expect(told).toEqual([{}]);
});

test('what is missed, assumed and not sure is said', async () => {
  open({ [PLAN]: () => makePlan({ misses: [{ name: 'car', words: 'lacks 1.5 kWh at 07:00', penalty: 1 }], status: 'best_so_far', gap: 0.04 }) });
  expect(await screen.findByText('One wish is not quite met')).toBeVisible();
  expect(screen.getByText(/lacks 1\.5 kWh at 07:00/)).toBeVisible();
  expect(screen.getByText('How full the battery is is assumed: nothing tells it.')).toBeVisible();
  expect(screen.getByText(/another could be better by at most 4\.0 %/)).toBeVisible();
  expect(screen.getByText(/Prices that are not published yet are forecast/)).toBeVisible();
});

test('the hours have a readout, a table and a file; forecast prices are marked', async () => {
  const save = vi.spyOn(csv, 'download').mockImplementation(() => {});
  open();
  const hours = await screen.findByRole('region', { name: 'The hours ahead' });
  const slider = within(hours).getByRole('slider', { name: /^Chart of the plan/ });
  slider.focus();
  await userEvent.keyboard('{End}');
  expect(slider).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, 15:15–15:30, price 0\.200\sEUR\/kWh, forecast, carbon 41\sgCO2e\/kWh, battery 2\.1\skWh, nothing planned$/));
  await userEvent.click(within(hours).getByRole('radio', { name: 'Table' }));
  const table = within(hours).getByRole('table', { name: 'The plan in numbers' });
  expect(within(table).getAllByText('forecast')).toHaveLength(62);
  await userEvent.click(within(hours).getByRole('button', { name: 'Download the plan as CSV' }));
  const [name, text] = save.mock.calls[0] ?? [];
  expect(name).toBe('watthour-flat-plan.csv');
  expect(text?.split('\r\n')[0]).toBe(
    'start_utc,local_start,import_price_eur_kwh,is_price_forecast,export_price_eur_kwh,carbon_gco2e_kwh,import_kw,export_kw,load_kw,solar_kw,dishwasher_kw,car_kw,car_stored_kwh,battery_kw,battery_stored_kwh,simulated',
  );
});

test('the tariff says since when it holds, and another one may begin on a day', async () => {
  const told: unknown[] = [];
  open({
    ...answersOfPlan(),
    '/api/v1/homes/flat/tariff': async (request) => {
      if (request.method === 'PUT') told.push(await request.json());
      return TARIFF;
    },
  });
  expect(await screen.findByText(/^Day and night, since Sun 1 Nov\.$/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Say another tariff' }));
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'Contract' }), 'one');
  await userEvent.type(screen.getByRole('textbox', { name: 'Price, per kWh' }), '0.29');
  await userEvent.type(screen.getByLabelText('Holds from'), '2026-12-01');
  await userEvent.click(screen.getByRole('button', { name: 'Keep this tariff' }));
  await waitFor(() => expect(told).toHaveLength(1));
  expect(told[0]).toMatchObject({ since: '2026-12-01', confirm: false, tariff: { name: 'One price' } });
});

const noTariff = { title: 'Unknown name', detail: "tariff = 'flat': Flat has no tariff yet", remedy: 'Describe it in a file.', field: 'tariff' };
const noEquipment = { title: 'Unknown name', detail: "equipment = 'flat': nothing to plan", remedy: 'Describe it.', field: 'equipment' };

test('without a tariff it is said on the page, and the first plan comes', async () => {
  let tariff: unknown = null;
  open({
    [PLAN]: () => (tariff ? makePlan() : problem(404, noTariff)),
    '/api/v1/homes/flat/tariff': async (request) => {
      if (request.method === 'PUT') tariff = await request.json();
      return TARIFF;
    },
  });
  expect(await screen.findByText('No plan yet')).toBeVisible();
  expect(screen.getByText('watthour tariff set flat tariff.toml')).toBeVisible();
  await userEvent.type(screen.getByRole('textbox', { name: 'Price by day, per kWh' }), '0,31');
  await userEvent.type(screen.getByRole('textbox', { name: 'Price by night, per kWh' }), '0.22');
  await userEvent.click(screen.getByRole('button', { name: 'Keep this tariff' }));
  expect(await runOf('dishwasher')).toBeVisible();
  const bands = [
    { name: 'night', price: 0.22, hours: ['22:00-06:00'] },
    { name: 'day', price: 0.31, hours: ['06:00-22:00'] },
  ];
  expect(tariff).toEqual({ tariff: { currency: 'EUR', tax_percent: 0, name: 'Day and night', import: { kind: 'time_of_use', bands } }, confirm: false });
});

test('a form that is half filled in stays as it is while the server is asked again', async () => {
  let asked = 0;
  const missing = (answer: Response): Response | Promise<never> => (asked++ < 2 ? answer : new Promise<never>(() => {}));
  open({ [PLAN]: () => missing(problem(404, noTariff)), '/api/v1/homes/flat/equipment': () => missing(problem(404, noEquipment)) });
  await userEvent.type(await screen.findByRole('textbox', { name: 'Price by day, per kWh' }), '0,31');
  await userEvent.click(await screen.findByRole('button', { name: 'Dishwasher' }));
  act(() => {
    focusManager.setFocused(false);
    focusManager.setFocused(true);
  });
  await waitFor(() => expect(asked).toBe(3));
  expect(screen.getByRole('textbox', { name: 'Price by day, per kWh' })).toHaveValue('0,31');
  expect(screen.getByRole('form', { name: 'Dishwasher' })).toBeVisible();
  focusManager.setFocused(undefined);
});

test('a price that looks like a slip is asked about, and kept once it is right', async () => {
  const told: { confirm: boolean }[] = [];
  open({
    [PLAN]: () => problem(404, noTariff),
    '/api/v1/homes/flat/tariff': async (request) => {
      const body = (await request.json()) as { confirm: boolean };
      told.push(body);
      return body.confirm ? TARIFF : problem(400, { title: 'Invalid input', detail: 'import.price = 31: a hundred times what is usual', remedy: 'If it is right, confirm it.' });
    },
  });
  await userEvent.selectOptions(await screen.findByRole('combobox', { name: 'Contract' }), 'one price at all hours');
  await userEvent.type(screen.getByRole('textbox', { name: 'Price, per kWh' }), '31');
  await userEvent.click(screen.getByRole('button', { name: 'Keep this tariff' }));
  await userEvent.click(await screen.findByRole('checkbox', { name: 'The price is right as it stands' }));
  await userEvent.click(screen.getByRole('button', { name: 'Keep this tariff' }));
  await waitFor(() => expect(told.map(({ confirm }) => confirm)).toEqual([false, true]));
});

test('without equipment the usual things are added by a form', async () => {
  let kept: { appliances?: unknown[] } | null = null;
  open({
    [PLAN]: () => (kept ? makePlan() : problem(404, noEquipment)),
    '/api/v1/homes/flat/equipment': async (request) => {
      if (request.method === 'GET') return kept ? { home: 'flat', equipment: kept } : problem(404, noEquipment);
      kept = (await request.json()) as { appliances: unknown[] };
      return { home: 'flat', equipment: kept };
    },
  });
  expect(await screen.findByText('No plan yet')).toBeVisible();
  await userEvent.click(await screen.findByRole('button', { name: 'Dishwasher' }));
  const form = screen.getByRole('form', { name: 'Dishwasher' });
  const minutes = within(form).getByRole('textbox', { name: 'Length of a run, minutes' });
  await userEvent.clear(minutes);
  await userEvent.click(within(form).getByRole('button', { name: 'Add dishwasher' }));
  expect(within(form).getByText('Give a number above 0.')).toBeVisible();
  expect(kept).toBeNull();
  await userEvent.type(minutes, '90');
  await userEvent.click(within(form).getByRole('button', { name: 'Add dishwasher' }));
  expect(await runOf('dishwasher')).toBeVisible();
  expect(kept).toEqual({ appliances: [{ name: 'dishwasher', power_kw: 0.6, minutes: 90, earliest: '20:00', deadline: '07:00' }] });
});

test('a thing that is added or removed leaves the others as they are, and the plan is made anew', async () => {
  const kept: unknown[] = [];
  const { answers, told } = planner(makePlan(), () => makePlan());
  open({
    ...answers,
    '/api/v1/homes/flat/equipment': async (request) => {
      if (request.method === 'GET') return makeEquipment();
      const equipment: unknown = await request.json();
      kept.push(equipment);
      return { home: 'flat', equipment };
    },
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Remove dishwasher' }));
  await waitFor(() => expect(told).toEqual([{}]));
  const [, washing] = makeEquipment().equipment.appliances ?? [];
  expect(kept).toEqual([{ ...makeEquipment().equipment, appliances: [washing] }]);
});

test('without its last thing the home is not planned any more, and the page begins anew', async () => {
  const only = { home: 'flat', equipment: { cars: [{ energy_kwh: 8, max_charge_kw: 11, arrival: '18:00', departure: '07:00' }] } };
  let isThere = true;
  open({
    [PLAN]: () => (isThere ? makePlan() : problem(404, noEquipment)),
    '/api/v1/homes/flat/equipment': ({ method }) => {
      if (method === 'DELETE') isThere = false;
      if (method === 'DELETE') return { home: 'flat', was_there: true };
      return isThere ? only : problem(404, noEquipment);
    },
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Remove car' }));
  expect(await screen.findByText('No plan yet')).toBeVisible();
  expect(await screen.findByText(/^Nothing yet\./)).toBeVisible();
});

test('a problem that is not of the household is told with its cure', async () => {
  open({ [PLAN]: () => problem(503, { title: 'No plan found', detail: 'no plan was found in time', remedy: 'Ask again.' }) });
  expect(await screen.findByText('no plan was found in time')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
});

test('a simulated home says so above all else', async () => {
  open({ [PLAN]: () => makePlan({ is_simulated: true }) });
  expect(await screen.findByText('Simulated: every number here is invented')).toBeVisible();
});

test('without a home the page says how to add one', async () => {
  openPage('/plan', { '/api/v1/homes': () => ({ homes: [] }) });
  expect(await screen.findByText('No home yet')).toBeVisible();
});
