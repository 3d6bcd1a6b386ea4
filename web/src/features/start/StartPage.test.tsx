// @vitest-environment jsdom
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import type { HomeEntry } from '@/client';
import { makeAhead } from '@/test/homes';
import { type Answers, openPage, problem } from '@/test/page';
import { makeSource, makeSources } from '@/test/sources';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

const LYON = { name: 'Lyon', in_words: 'Lyon', latitude: 45.7, longitude: 4.8, time_zone: 'Europe/Paris', country: 'France', country_code: 'FR', part: 'Auvergne-Rhône-Alpes', population: 522_250, holidays: 'FR' };
const FLAT: HomeEntry = {
  id: 'flat',
  name: 'Flat',
  kind: 'home',
  time_zone: 'Europe/Paris',
  latitude: 45.7,
  longitude: 4.8,
  holidays: 'FR',
  zone: null,
  points: [],
  described_in: 'store',
  simulated: false,
  main_channel: null,
  channels: [],
  weather: 'none',
  model: null,
  next: [],
  zones: [],
  devices: [],
};
const MEASURED: HomeEntry = {
  ...FLAT,
  main_channel: 'home.flat.power',
  channels: [{ id: 'home.flat.power', quantity: 'power', unit: 'kW', resolution_seconds: 3600, first_time: '2026-11-01T00:00:00Z', last_time: '2026-11-21T13:00:00Z', device: null, zone: null }],
};

function openStart(home: HomeEntry, answers: Answers = {}): unknown[] {
  const said: unknown[] = [];
  const note = async (request: Request): Promise<void> => {
    said.push(JSON.parse(await request.clone().text()));
  };
  openPage('/start', {
    '/api/v1/homes': async (request) => {
      if (request.method === 'GET') return { homes: [] };
      await note(request);
      return home;
    },
    '/api/v1/homes/flat': () => home,
    '/api/v1/homes/flat/forecast': () => problem(409, { title: 'Not enough history', detail: 'the store has no readings', remedy: 'Send some.' }),
    '/api/v1/places': () => ({ places: [LYON] }),
    '/api/v1/sources': () => makeSources([makeSource()]),
    '/api/v1/listening/things': async (request) => {
      await note(request);
      return { thing: 'homewizard/1/import', channel: 'home.flat.energy' };
    },
    ...answers,
  });
  return said;
}

async function addByTown(): Promise<void> {
  const name = await screen.findByLabelText('Name of the home');
  await userEvent.clear(name);
  await userEvent.type(name, 'Flat');
  await userEvent.type(screen.getByLabelText('Town'), 'Lyon{Enter}');
  await userEvent.click(await screen.findByRole('button', { name: 'Lyon, Auvergne-Rhône-Alpes, France' }));
}

test('a home is added by its town, and with nothing that measures it is kept', async () => {
  const said = openStart(FLAT);
  await addByTown();
  expect(await screen.findByText('Flat: Europe/Paris, 45.7°, 4.8°, holidays of FR')).toBeVisible();
  expect(said).toEqual([{ name: 'Flat', time_zone: 'Europe/Paris', latitude: 45.7, longitude: 4.8, holidays: 'FR' }]);
  await userEvent.click(await screen.findByRole('button', { name: /Nothing yet/ }));
  expect(screen.getByText('Flat is kept')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Open Flat' })).toBeVisible();
});

test('a town that nobody knows, and one that cannot be looked up, are said', async () => {
  openStart(FLAT, { '/api/v1/places': ({ url }) => (url.includes('Atlantis') ? { places: [] } : problem(502, { title: 'Source unavailable', detail: 'it cannot be reached', remedy: 'Give coordinates.' })) });
  await userEvent.type(await screen.findByLabelText('Town'), 'Atlantis{Enter}');
  expect(await screen.findByText('Nobody knows this town')).toBeVisible();
  await userEvent.type(screen.getByLabelText('Town'), '{Backspace}{Enter}');
  expect(await screen.findByText('Give coordinates.')).toBeVisible();
});

test('a home is added by coordinates, with a decimal comma, and takes the likely holidays', async () => {
  const said = openStart(FLAT, { '/api/v1/holidays': () => ({ likely: 'FR', countries: [], optional: [] }) });
  await userEvent.click(await screen.findByRole('button', { name: 'Coordinates instead' }));
  expect(screen.getByRole('button', { name: 'Add the home' })).toBeDisabled();
  await userEvent.type(screen.getByLabelText('Latitude'), '45,76');
  await userEvent.type(screen.getByLabelText('Longitude'), '4.83');
  await userEvent.selectOptions(screen.getByLabelText('Time zone'), 'Europe/Paris');
  await userEvent.click(screen.getByRole('button', { name: 'Add the home' }));
  expect(await screen.findByText(/holidays of FR/)).toBeVisible();
  expect(said).toEqual([{ name: 'Home', time_zone: 'Europe/Paris', latitude: 45.76, longitude: 4.83, holidays: 'FR' }]);
});

test('what speaks is shown with its age, and said to measure the whole home', async () => {
  const said = openStart(FLAT);
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /What is connected already/ }));
  const thing = await screen.findByRole('list', { name: 'What speaks here' });
  expect(thing).toHaveTextContent('13,779.3 kWh');
  expect(thing).toHaveTextContent(/1[2-9].s ago/);
  await userEvent.click(screen.getByRole('button', { name: 'It measures the whole home' }));
  expect(said.at(-1)).toEqual({ thing: 'homewizard/1/import', home: 'flat', is_main: true });
  expect(screen.getByText('Tomorrow cannot be forecast yet')).toBeVisible();
  expect(screen.getByText(/There are no readings of the whole home yet/)).toBeVisible();
});

test('something that speaks becomes a device with its name and kind', async () => {
  const said = openStart(FLAT);
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /What is connected already/ }));
  await userEvent.click(await screen.findByRole('button', { name: 'It measures a device' }));
  const name = screen.getByLabelText('Name of the device');
  await userEvent.clear(name);
  await userEvent.type(name, 'Cellar');
  await userEvent.selectOptions(screen.getByLabelText('What it is'), 'Heat pump');
  await userEvent.click(screen.getByRole('button', { name: 'Keep it' }));
  expect(said.at(-1)).toEqual({ thing: 'homewizard/1/import', home: 'flat', name: 'Cellar', kind: 'heat_pump' });
});

test('what is unplugged meanwhile is said beside the readings', async () => {
  const gone = makeSource({ state: 'failed', words: 'No answer.', remedy: 'Check that it has power.', things: [] });
  openStart(FLAT, { '/api/v1/sources': () => makeSources([gone]) });
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /What is connected already/ }));
  expect(await screen.findByText(/Check that it has power/)).toBeVisible();
  expect(screen.getByText(/Waiting for the first value/)).toBeVisible();
});

test('too little history is told with how much there is', async () => {
  openStart(MEASURED);
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /What is connected already/ }));
  expect(await screen.findByText(/So far there are 20 days of readings/)).toBeVisible();
  expect(screen.getByText(/The store has no readings\./)).toBeVisible();
});

test('tomorrow is shown as soon as it is known, with the history it rests on', async () => {
  openStart(MEASURED, { '/api/v1/homes/flat/forecast': () => makeAhead() });
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /What is connected already/ }));
  expect(await screen.findByText(/It rests on 20 days of readings/)).toBeVisible();
  expect(screen.getByText(/Tomorrow most: 2.2\d* kW between 19:00 and 20:00/)).toBeVisible();
});

test('a home that is here already is gone on with', async () => {
  openStart(FLAT, { '/api/v1/homes': () => ({ homes: [FLAT] }) });
  await userEvent.click(await screen.findByRole('button', { name: 'Flat (no readings yet)' }));
  expect(await screen.findByText('2. What is there that measures?')).toBeVisible();
});
