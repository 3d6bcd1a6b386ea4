// @vitest-environment jsdom
import { cleanup, screen, waitFor } from '@testing-library/react';
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
  await userEvent.click(await screen.findByRole('button', { name: 'Without a town' }));
  await userEvent.type(screen.getByLabelText('Latitude'), '45,76');
  expect(screen.getByRole('button', { name: 'Add the home' })).toBeDisabled();
  expect(screen.getByText('Give both numbers, or neither.')).toBeVisible();
  await userEvent.type(screen.getByLabelText('Longitude'), '4.83');
  await userEvent.selectOptions(screen.getByLabelText('Time zone'), 'Europe/Paris');
  await userEvent.click(screen.getByRole('button', { name: 'Add the home' }));
  expect(await screen.findByText(/holidays of FR/)).toBeVisible();
  expect(said).toEqual([{ name: 'Home', time_zone: 'Europe/Paris', latitude: 45.76, longitude: 4.83, holidays: 'FR' }]);
});

test('a home is added by its time zone alone, and what is then missing is said', async () => {
  const said = openStart({ ...FLAT, latitude: null, longitude: null }, { '/api/v1/holidays': () => ({ likely: 'FR', countries: [], optional: [] }) });
  await userEvent.click(await screen.findByRole('button', { name: 'Without a town' }));
  expect(screen.getByText(/What is then missing is the weather/)).toBeVisible();
  await userEvent.selectOptions(screen.getByLabelText('Time zone'), 'Europe/Paris');
  await userEvent.click(screen.getByRole('button', { name: 'Add the home' }));
  expect(await screen.findByText(/No place, so no weather/)).toBeVisible();
  expect(said).toEqual([{ name: 'Home', time_zone: 'Europe/Paris', latitude: null, longitude: null, holidays: 'FR' }]);
});

test('a home that was begun is gone on with, also after the page is loaded again', async () => {
  openStart(FLAT);
  await addByTown();
  await waitFor(() => expect(window.location.search).toBe('?home=flat'));
  cleanup();
  openPage('/start?home=flat', { '/api/v1/homes': () => ({ homes: [FLAT] }), '/api/v1/homes/flat': () => FLAT, '/api/v1/sources': () => makeSources([]) });
  expect(await screen.findByText('Flat: Europe/Paris, 45.7°, 4.8°, holidays of FR')).toBeVisible();
  expect(await screen.findByRole('button', { name: /A file of my meter/ })).toBeVisible();
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

const GRID = makeSource({
  name: 'home_assistant',
  kind: 'home_assistant',
  label: 'Home Assistant',
  things: [
    { key: 'home_assistant/sensor.oven', device: 'home_assistant/sensor.oven', name: 'sensor.oven', kind: 'meter', source: 'home_assistant', channel: null, grid_meter: false, silent: false, values: [{ tells: 'power', value: 800, unit: 'W', text: '800 W', time: null, heard_at: '2026-11-21T14:19:48Z' }] },
    { key: 'home_assistant/sensor.p1', device: 'home_assistant/sensor.p1', name: 'sensor.p1 (grid import)', kind: 'meter', source: 'home_assistant', channel: null, grid_meter: true, silent: false, values: [{ tells: 'counter', value: 58, unit: 'kWh', text: '58 kWh', time: null, heard_at: '2026-11-21T14:19:48Z' }] },
  ],
});
const IDLE = { state: 'idle', share: 0, begin: null, end: null, channels: [], problem: null, remedy: null };

test('Home Assistant is connected by its address and token, beside its broker', async () => {
  const said = openStart(FLAT, {
    '/api/v1/sources/test': async (request) => {
      said.push(JSON.parse(await request.clone().text()));
      return { works: true, words: "It answers: 2 sensors are recorded there, the grid's meter is sensor.p1.", remedy: null, things: [] };
    },
    '/api/v1/listening/past': () => IDLE,
  });
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /^Home Assistant\s?By its address/ }));
  const token = screen.getByLabelText('Long-lived access token');
  expect(token).toHaveAttribute('type', 'password');
  await userEvent.type(screen.getByLabelText('Address of Home Assistant'), 'http://homeassistant.local:8123');
  await userEvent.type(token, 'a-token');
  await userEvent.click(screen.getByRole('button', { name: 'Test' }));
  expect(await screen.findByText(/the grid's meter is sensor.p1/)).toBeVisible();
  expect(said.at(-1)).toEqual({ kind: 'home_assistant', settings: { url: 'http://homeassistant.local:8123', token: 'a-token' } });
  await userEvent.click(screen.getByRole('button', { name: 'Its MQTT broker instead' }));
  expect(screen.getByRole('form', { name: 'MQTT broker' })).toBeVisible();
});

test("the grid's meter comes first, and one tap brings its past in", async () => {
  let past: object = IDLE;
  const said = openStart(FLAT, {
    '/api/v1/sources': () => makeSources([GRID]),
    '/api/v1/listening/things': async (request) => {
      said.push(JSON.parse(await request.clone().text()));
      return { thing: 'home_assistant/sensor.p1', channel: 'home.flat.energy' };
    },
    '/api/v1/listening/past': async (request) => {
      if (request.method === 'POST') {
        said.push(JSON.parse(await request.clone().text()));
        past = { ...IDLE, state: 'running', share: 0.42, channels: [{ channel: 'home.flat.energy', new: 7300, refused: 0, findings: [] }] };
      }
      return past;
    },
  });
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /What is connected already/ }));
  const [first, second] = (await screen.findByRole('list', { name: 'What speaks here' })).children;
  expect(first).toHaveTextContent("sensor.p1 (grid import) the grid's meter");
  expect(second).toHaveTextContent('sensor.oven');
  expect(second).not.toHaveTextContent("the grid's meter");
  await userEvent.click(screen.getAllByRole('button', { name: 'It measures the whole home' })[0] as HTMLElement);
  expect(await screen.findByText('Bringing in the past: 42 %, 7,300 readings so far.')).toBeVisible();
  expect(screen.getByRole('progressbar')).toHaveAttribute('value', '0.42');
  expect(said.slice(-2)).toEqual([
    { thing: 'home_assistant/sensor.p1', home: 'flat', is_main: true, step_seconds: 3600 },
    { days: 730, thing: 'home_assistant/sensor.p1' },
  ]);
  past = { ...IDLE, state: 'done', share: 1, channels: [{ channel: 'home.flat.energy', new: 17_519, refused: 0, findings: [] }] };
  expect(await screen.findByText('17,519 readings were new.', {}, { timeout: 5000 })).toBeVisible();
});

test('a past that could not be brought in is said with the cure', async () => {
  openStart(FLAT, {
    '/api/v1/sources': () => makeSources([GRID]),
    '/api/v1/listening/past': () => ({ ...IDLE, state: 'failed', problem: 'home_assistant: it ended the connection', remedy: 'It is asked again soon.' }),
  });
  await addByTown();
  await userEvent.click(await screen.findByRole('button', { name: /What is connected already/ }));
  expect(await screen.findByText('The past could not be brought in')).toBeVisible();
  expect(screen.getByText(/It is asked again soon\./)).toBeVisible();
});
