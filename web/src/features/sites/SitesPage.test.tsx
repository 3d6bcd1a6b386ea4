// @vitest-environment jsdom
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import type { SiteEntry } from '@/client';
import { type Answers, openPage, problem } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

const HOUSE: SiteEntry = {
  id: 'beach_house',
  name: 'Beach house',
  kind: 'home',
  time_zone: 'Australia/Sydney',
  latitude: -33.87,
  longitude: 151.21,
  holidays: null,
  zone: null,
  points: [{ id: 's3387_e15121', latitude: -33.87, longitude: 151.21, weight: 1 }],
  described_in: 'store',
  simulated: false,
  main_channel: 'home.beach_house.power',
  channels: [{ id: 'home.beach_house.power', quantity: 'power', unit: 'kW', resolution_seconds: 1800, first_time: null, last_time: null }],
  weather: 'awaited',
  model: null,
  next: [{ text: 'Import a file with its readings.', command: 'watthour import FILE.csv --channel home.beach_house.power' }],
};
const HOLIDAYS = {
  likely: 'AU',
  countries: [{ code: 'AU', parts: ['NSW', 'VIC'] }, { code: 'FR', parts: [] }],
  optional: [{ code: 'ramadan', name: 'Ramadan', says: 'The month of fasting.' }],
};

interface Said {
  method: string;
  path: string;
  body: unknown;
}

/** Opens the page over a server that keeps what it is told. */
function openSites(kept: SiteEntry[], refusal?: Response): Said[] {
  const said: Said[] = [];
  const note = (request: Request): unknown => {
    const { pathname, search } = new URL(request.url);
    if (request.method === 'GET') return { sites: kept };
    void request.clone().text().then((text) => said.push({ method: request.method, path: pathname + search, body: text ? JSON.parse(text) : null }));
    return refusal ?? HOUSE;
  };
  const answers: Answers = { '/api/v1/sites': note, '/api/v1/sites/beach_house': note, '/api/v1/holidays': () => HOLIDAYS };
  openPage('/sites', answers);
  return said;
}

test('a site is described and the page says what comes next', async () => {
  const said = openSites([]);
  await userEvent.type(await screen.findByLabelText('Name'), 'Beach house');
  await userEvent.selectOptions(screen.getByLabelText('Time zone'), 'Australia/Sydney');
  await userEvent.type(screen.getByLabelText(/Latitude/), '-33,87');
  expect(screen.getByRole('button', { name: 'Add the site' })).toBeDisabled();
  await userEvent.type(screen.getByLabelText(/Longitude/), '151.21');
  await userEvent.selectOptions(screen.getByLabelText('Unit of its readings'), 'kW');
  await userEvent.selectOptions(screen.getByLabelText('A reading every'), '30 minutes');
  await userEvent.click(screen.getByRole('button', { name: 'Add the site' }));
  expect(await screen.findByText('Beach house is added')).toBeVisible();
  expect(screen.getByText('watthour import FILE.csv --channel home.beach_house.power')).toBeVisible();
  expect(said).toEqual([
    {
      method: 'POST',
      path: '/api/v1/sites',
      body: {
        name: 'Beach house',
        kind: 'home',
        time_zone: 'Australia/Sydney',
        latitude: -33.87,
        longitude: 151.21,
        holidays: null,
        channels: [{ name: 'power', unit: 'kW', resolution_seconds: 1800 }],
      },
    },
  ]);
});

test('a site of prices is added with their currency', async () => {
  const said = openSites([]);
  await userEvent.type(await screen.findByLabelText('Name'), 'Market');
  await userEvent.selectOptions(screen.getByLabelText('Unit of its readings'), 'EUR/MWh');
  await userEvent.click(screen.getByRole('button', { name: 'Add the site' }));
  await screen.findByText(/is added/);
  expect(said[0]?.body).toMatchObject({ channels: [{ name: 'price', unit: 'EUR/MWh', resolution_seconds: 3600 }] });
});

test('the likely holidays are offered, not assumed', async () => {
  openSites([]);
  expect(await screen.findByLabelText('Public holidays')).toHaveValue('');
  await userEvent.click(await screen.findByRole('button', { name: 'Australia' }));
  expect(screen.getByLabelText('Public holidays')).toHaveValue('AU');
  await userEvent.selectOptions(screen.getByLabelText('Part of the country'), 'NSW');
  expect(screen.getByLabelText('Part of the country')).toHaveValue('NSW');
});

test('what is kept beside the holidays of a country is joined to them', async () => {
  const said = openSites([]);
  await userEvent.type(await screen.findByLabelText('Name'), 'Home');
  await userEvent.selectOptions(await screen.findByLabelText('Public holidays'), 'AU');
  await userEvent.click(screen.getByLabelText('Ramadan'));
  await userEvent.selectOptions(screen.getByLabelText('Part of the country'), 'NSW');
  await userEvent.click(screen.getByRole('button', { name: 'Add the site' }));
  await screen.findByText(/is added/);
  expect(said[0]?.body).toMatchObject({ holidays: 'AU-NSW+ramadan' });
});

test('calendars that were joined elsewhere stay until they are taken away', async () => {
  const said = openSites([{ ...HOUSE, holidays: 'AU+FR+ramadan' }]);
  await userEvent.click(await screen.findByRole('button', { name: 'Change Beach house' }));
  const form = within((await screen.findByLabelText('Holidays of France')).closest('form') as HTMLFormElement);
  expect(form.getByLabelText('Public holidays')).toHaveValue('AU');
  expect(form.getByLabelText('Holidays of France')).toBeChecked();
  await userEvent.click(form.getByLabelText('Ramadan'));
  await userEvent.click(form.getByRole('button', { name: 'Save' }));
  await vi.waitFor(() => expect(said[0]?.body).toMatchObject({ holidays: 'AU+FR' }));
});

test('a refusal says why and what to do', async () => {
  openSites([], problem(400, { title: 'Invalid input', detail: "name = 'ny': this is already a name of New York", remedy: 'Choose another, such as my_ny.' }));
  await userEvent.type(await screen.findByLabelText('Name'), 'ny');
  await userEvent.click(screen.getByRole('button', { name: 'Add the site' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Choose another, such as my_ny.');
});

test('the place of a site is changed and its readings are removed only after a second word', async () => {
  const filled = { ...HOUSE, channels: HOUSE.channels.map((channel) => ({ ...channel, first_time: '2026-01-01T00:00:00Z', last_time: '2026-11-21T00:00:00Z' })) };
  const said = openSites([filled]);
  expect(await screen.findByText('2026-01-01 to 2026-11-21, every 30 min, in kW')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Remove Beach house' }));
  expect(said).toEqual([]);
  const warning = screen.getByRole('alert');
  expect(warning).toHaveTextContent('deleted permanently');
  await userEvent.click(within(warning).getByRole('button', { name: 'Keep it' }));
  await userEvent.click(screen.getByRole('button', { name: 'Change Beach house' }));
  const latitude = screen.getByDisplayValue('-33.87');
  await userEvent.clear(latitude);
  await userEvent.type(latitude, '-37.8');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Remove Beach house' }));
  await userEvent.click(screen.getByRole('button', { name: 'Remove it and its readings' }));
  expect(said).toEqual([
    {
      method: 'PATCH',
      path: '/api/v1/sites/beach_house',
      body: { name: 'Beach house', time_zone: 'Australia/Sydney', latitude: -37.8, longitude: 151.21, holidays: null },
    },
    { method: 'DELETE', path: '/api/v1/sites/beach_house?delete_readings=true', body: null },
  ]);
});

test('what the settings describe is changed there', async () => {
  openSites([{ ...HOUSE, described_in: 'settings' }]);
  expect(await screen.findByText('[sites.beach_house]')).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Change Beach house' })).toBeNull();
});

test('a site with readings offers to train its model again, and one without does not', async () => {
  const [channel] = HOUSE.channels;
  if (!channel) throw new Error('the site has a channel');
  const filled = { ...HOUSE, model: '2026-01', channels: [{ ...channel, first_time: '2024-01-01T00:00:00Z', last_time: '2024-02-01T00:00:00Z' }] };
  const empty = { ...HOUSE, id: 'other', name: 'Other' };
  openPage('/sites', { '/api/v1/sites': () => ({ sites: [filled, empty] }) });
  const summary = await screen.findByText('Train its model again');
  await userEvent.click(summary);
  expect(screen.getByRole('button', { name: 'Train now' })).toBeVisible();
  expect(screen.getAllByRole('button', { name: 'Train now' })).toHaveLength(1);
});
