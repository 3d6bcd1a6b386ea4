// @vitest-environment jsdom
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';

import { answersOfDevices, makeDevice, makeHomeWithDevices } from '@/test/devices';
import { type Answers, openPage, problem } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

beforeEach(() => localStorage.clear());

const HOME = '/api/v1/homes/flat';

function openDevices(answers: Answers = {}): string[] {
  return openPage('/devices/flat', { ...answersOfDevices(), ...answers });
}

/** The rows of the table, each as its words. */
async function rows(): Promise<string[]> {
  const table = await screen.findByRole('table', { name: 'Devices' });
  return within(table).getAllByRole('rowheader').map((head) => within(head).getByRole('link').textContent);
}

function row(name: string): string {
  return screen.getByRole('link', { name }).closest('tr')?.textContent ?? '';
}

test('each device stands with what it draws, used today, its share and its state, the most used first', async () => {
  openDevices();
  expect(await rows()).toEqual(['Boiler', 'Fridge', 'Kettle', 'Lamp', 'Heater']);
  expect(screen.getByText('Drawing most now: Boiler 900 W, Fridge 85 W, Kettle 2.1 W. Lamp is late.')).toBeVisible();
  expect(row('Boiler')).toMatch(/^BoilerWater heater1\.62\skWh today, 50%900\sW.*1\.62\skWh50%\d+\ss agoup to date$/);
  expect(row('Kettle')).toMatch(/Kettle · Kitchen/);
  expect(row('Lamp')).toMatch(/late$/);
  expect(row('Heater')).toMatch(/–––not measured$/);
  await userEvent.click(screen.getByRole('radio', { name: 'By name' }));
  expect(await rows()).toEqual(['Boiler', 'Fridge', 'Heater', 'Kettle', 'Lamp']);
});

test('zones are the sums of what is in them', async () => {
  openDevices();
  const zones = await screen.findByRole('list', { name: 'Zones' });
  expect(within(zones).getByRole('listitem')).toHaveTextContent('Kitchen2 devices88 W0.52 kWh today');
});

test('a device is described, added, and led to', async () => {
  const bodies: unknown[] = [];
  const added = makeDevice('oven', 'Oven', { kind: 'oven' });
  const requests = openDevices({
    [`${HOME}/devices`]: async (request) => {
      bodies.push(await request.json());
      return added;
    },
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Describe one' }));
  await userEvent.type(screen.getByLabelText('Name'), 'Oven');
  await userEvent.selectOptions(screen.getByLabelText('What it is'), 'Oven');
  await userEvent.selectOptions(screen.getByLabelText('Where it stands'), 'Kitchen');
  await userEvent.type(screen.getByLabelText('Most it draws (W)'), 'much');
  expect(screen.getByRole('button', { name: 'Add the device' })).toBeDisabled();
  await userEvent.clear(screen.getByLabelText('Most it draws (W)'));
  await userEvent.type(screen.getByLabelText('Most it draws (W)'), '3500');
  await userEvent.selectOptions(screen.getByLabelText('What is measured'), 'Its power, as a plug tells it');
  await userEvent.click(screen.getByRole('button', { name: 'Add the device' }));
  expect(await screen.findByText('Oven is added')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Look at it' })).toHaveAttribute('href', '/devices/flat/oven');
  const channels = [{ name: 'power', unit: 'W', resolution_seconds: 900 }];
  expect(bodies).toEqual([{ name: 'Oven', kind: 'oven', rating_w: 3500, flexibility: null, zone: 'home.flat.kitchen', channels }]);
  expect(requests.filter((each) => each === `GET ${HOME}`).length).toBeGreaterThan(1);
});

test('what is refused is said in the words of the server', async () => {
  openDevices({ [`${HOME}/devices`]: () => problem(400, { title: 'Invalid input', detail: "name = 'Kettle': this is already a name of Kettle", remedy: 'Choose another.' }) });
  await userEvent.click(await screen.findByRole('button', { name: 'Describe one' }));
  await userEvent.type(screen.getByLabelText('Name'), 'Kettle');
  await userEvent.click(screen.getByRole('button', { name: 'Add the device' }));
  expect(await screen.findByText(/already a name of Kettle/)).toBeVisible();
});

test('a zone is added and removed', async () => {
  const requests = openDevices({ [`${HOME}/zones`]: () => ({ id: 'home.flat.attic', name: 'Attic', devices: [], channels: [] }), [`${HOME}/zones/kitchen`]: () => ({ id: 'home.flat.kitchen', name: 'Kitchen' }) });
  await userEvent.type(await screen.findByLabelText('New zone'), 'Attic');
  await userEvent.click(screen.getByRole('button', { name: 'Add it' }));
  await userEvent.click(screen.getByRole('button', { name: 'Remove the zone Kitchen' }));
  expect(requests).toEqual(expect.arrayContaining([`POST ${HOME}/zones`, `DELETE ${HOME}/zones/kitchen`]));
});

test('a home without devices says what to do next', async () => {
  openDevices({ [HOME]: () => makeHomeWithDevices({ devices: [], zones: [] }) });
  expect(await screen.findByText('No devices yet')).toBeVisible();
  expect(screen.getByRole('form', { name: 'Add a device' })).toBeVisible();
});

test('a simulated home says so and cannot be changed', async () => {
  openDevices({ [HOME]: () => makeHomeWithDevices({ simulated: true, described_in: 'watthour' }) });
  expect(await screen.findByText('Simulated: every number here is invented')).toBeVisible();
  await rows();
  expect(screen.queryByRole('button', { name: 'Describe one' })).toBeNull();
  expect(screen.queryByLabelText('New zone')).toBeNull();
});

test('an unknown home is told with the cure', async () => {
  openDevices({ [HOME]: () => problem(404, { title: 'Unknown site', detail: "home = 'flat': no home has this name", remedy: 'Did you mean flap?' }) });
  expect(await screen.findByText('Did you mean flap?')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Add a home' })).toHaveAttribute('href', '/start');
});

test('while the devices are loading their place is held', async () => {
  openDevices({ [HOME]: () => new Promise(() => {}) });
  expect(await screen.findByRole('status', { name: 'Loading the devices' })).toBeVisible();
});
