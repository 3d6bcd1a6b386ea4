// @vitest-environment jsdom
import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';

import * as csv from '@/lib/csv';
import { answersOfHome, makeAhead, makeHome, makeInsights, makeUsage } from '@/test/homes';
import { type Answers, openPage, problem } from '@/test/page';
import { FakeSocket } from '@/test/socket';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

beforeEach(() => localStorage.clear());

function openHome(answers: Answers = {}, address = '/home/flat'): string[] {
  return openPage(address, { ...answersOfHome(), ...answers });
}

/** A card by its heading. */
async function card(name: string): Promise<HTMLElement> {
  return screen.findByRole('region', { name });
}

test('what is drawn now stands first, with its age and what is on, the largest first', async () => {
  openHome();
  const now = await card('Now');
  expect(within(now).getByText('1.16 kW')).toBeVisible();
  expect(within(now).getByText('drawn from the grid')).toBeVisible();
  expect(within(now).getByText(/^measured \d+ s ago$/)).toBeVisible();
  const on = within(now).getByRole('list', { name: 'On now' });
  // The kettle waits, and of the lamp nothing is known at present.
  expect(within(on).getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual(['Boiler900\u00a0W', 'Fridge85\u00a0W']);
});

test('today stands beside the same hours of yesterday', async () => {
  openHome();
  const today = await card('Today');
  expect(within(today).getByText('since midnight, counted up to 15:00')).toBeVisible();
  expect(within(today).getByText('0.70 kWh less than yesterday by 15:00')).toBeVisible();
  expect(within(today).getByText('All of yesterday').nextElementSibling).toHaveTextContent('9.40 kWh');
  expect(within(today).queryByText(/of today so far/)).toBeNull();
});

test('a day with gaps says how much of it is known, and yesterday with gaps is not compared', async () => {
  openHome({ '/api/v1/homes/flat/usage': () => makeUsage({ mains: { known_share_today: 0.826, yesterday_same_time_kwh: null } }) });
  const today = await card('Today');
  expect(within(today).getByText('There are readings for 82% of today so far; the rest is missing and not counted.')).toBeVisible();
  expect(within(today).getByText('Yesterday by this time is not known in full.')).toBeVisible();
  expect(within(today).getByText('Yesterday by 15:00').nextElementSibling).toHaveTextContent('–');
});

test('energy that is fed in is said to be', async () => {
  openHome({ '/api/v1/homes/flat/usage': () => makeUsage({ mains: { power_watts: -2300, today_kwh: -4.2 } }) });
  const now = await card('Now');
  expect(within(now).getByText('2.30 kW')).toBeVisible();
  expect(within(now).getByText('fed into the grid')).toBeVisible();
  expect(within(await card('Today')).getByText('More was fed in than drawn.')).toBeVisible();
});

test('tomorrow is told by its highest hour, its band, and what it rests on', async () => {
  openHome();
  const tomorrow = await card('Tomorrow');
  expect(within(tomorrow).getByText(/^Highest at 2\.20 kW between 19:00 and 20:00; with 90 % probability 1\.10–4\.40 kW\.$/)).toBeVisible();
  expect(await within(tomorrow).findByText(/^Rests on 50 days of readings, known until Sat 21 Nov, 15:00 CET, 20 min ago\. Made by: Similar series\.$/)).toBeVisible();
  await userEvent.click(within(tomorrow).getByRole('radio', { name: 'Table' }));
  const table = within(tomorrow).getByRole('table', { name: 'The day in numbers' });
  expect(within(table).getByRole('row', { name: '19:00–20:00 2.20 1.10–4.40 – 2.42' })).toBeVisible();
  await userEvent.click(within(tomorrow).getByRole('button', { name: 'The 15 hours known before' }));
  expect(within(tomorrow).getByRole('table', { name: 'Readings known before' })).toBeVisible();
});

test('today and tomorrow can be saved as a file', async () => {
  const download = vi.spyOn(csv, 'download').mockImplementation(() => {});
  openHome();
  const tomorrow = await card('Tomorrow');
  await userEvent.click(within(tomorrow).getByRole('button', { name: 'Download CSV' }));
  const [name, text] = download.mock.calls[0] ?? [];
  expect(name).toBe('watthour-flat-2026-11-22.csv');
  expect(text).toContain('2026-11-22T18:00:00Z,2026-11-22T19:00+01:00,day,2.2,1.1,4.4,');
});

test('what the forecast lacks can be read, and its age is said where it is old', async () => {
  const words = { stale: true, data_age_hours: 15, fallback: 'Mean of the last weeks answers: there is no model yet.', missing_inputs: ['No weather is known.'] };
  openHome({ '/api/v1/homes/flat/forecast': () => makeAhead(words) });
  expect(await screen.findByText('The newest reading is 15 h old')).toBeVisible();
  await userEvent.click(screen.getByText('What would make it better'));
  expect(screen.getByText('Mean of the last weeks answers: there is no model yet.')).toBeVisible();
  expect(screen.getByText('No weather is known.')).toBeVisible();
});

test('while too little is known there is no forecast, and it is said what is missing', async () => {
  openHome({ '/api/v1/homes/flat/forecast': () => problem(409, { title: 'Not enough history', detail: 'Only 5 hours are known.', remedy: 'Wait a day.' }) });
  const tomorrow = await card('Tomorrow');
  expect(within(tomorrow).getByText('No forecast yet')).toBeVisible();
  expect(within(tomorrow).getByText(/Only 5 hours are known\./)).toBeVisible();
  expect(within(tomorrow).queryByRole('alert')).toBeNull(); // nothing is broken
});

test('what uses most, what is always on and what is odd stand below', async () => {
  openHome();
  const table = await screen.findByRole('table', { name: 'Energy of each device' });
  expect(within(table).getByRole('row', { name: 'Boiler 120.0 50%' })).toBeVisible();
  expect(screen.getByText('Everything else: 96.0 kWh.')).toBeVisible();
  const standby = await card('Standby');
  expect(within(standby).getByText('118 W')).toBeVisible();
  expect(within(standby).getByText(/1,034 kWh in a year, 31% of the home's energy/)).toBeVisible();
  const odd = within(await card('What is odd')).getByRole('list', { name: 'What is odd' });
  expect(within(odd).getAllByRole('listitem')).toHaveLength(3);
  expect(screen.getByText(/too few days of one kind are known\. Wait, or import older readings\./)).toBeVisible();
});

test('where something feeds in no shares are shown, as they would say nothing', async () => {
  const { consumers } = makeInsights();
  if (!consumers) throw new Error('the made-up home has consumers');
  openHome({ '/api/v1/homes/flat/insights': () => makeInsights({ consumers: { ...consumers, other_kwh: null, other_problem: 'something in the home feeds in' } }) });
  const table = await screen.findByRole('table', { name: 'Energy of each device' });
  expect(within(table).getByRole('row', { name: 'Boiler 120.0' })).toBeVisible();
  expect(screen.getByText('What else is used is not known: something in the home feeds in.')).toBeVisible();
});

test('where nothing is odd that is said, and insights that cannot be told say why', async () => {
  const { oddities } = makeInsights();
  if (!oddities) throw new Error('the made-up home was judged');
  const unknown = [{ insight: 'standby', problem: 'no night is known', remedy: 'Wait a night.' }];
  openHome({ '/api/v1/homes/flat/insights': () => makeInsights({ oddities: { ...oddities, anomalies: [], shifts: [] }, standby: null, unknown }) });
  expect(await screen.findByText('Nothing: these hours were like the weeks before.')).toBeVisible();
  expect(within(await card('Standby')).getByText('Not known: no night is known. Wait a night.')).toBeVisible();
});

test('a new power is shown as it comes, and the line says that it is live', async () => {
  openHome();
  const now = await card('Now');
  expect(screen.getByText('Connecting')).toBeVisible();
  act(() => FakeSocket.last.accept());
  expect(await screen.findByText('Live')).toBeVisible();
  const rows = [{ time: '2026-11-21T14:20:05Z', measure: 'power', value: 2480 }];
  act(() => FakeSocket.last.say({ type: 'samples', channel: 'home.flat.power', site: 'flat', n_rows: 1, rows }));
  await waitFor(() => expect(within(now).getByText('2.48 kW')).toBeVisible());
});

test('a line that is lost is said to be, with the time', async () => {
  openHome();
  await card('Now');
  act(() => FakeSocket.last.accept());
  act(() => FakeSocket.last.close());
  expect(await screen.findByText(/^Not live since \d\d:\d\d$/)).toBeVisible();
});

test('new readings bring today and the readings of the picture anew', async () => {
  const requests = openHome();
  await card('Tomorrow');
  act(() => FakeSocket.last.accept());
  const count = (path: string): number => requests.filter((request) => request.includes(path)).length;
  await waitFor(() => expect(count('/readings')).toBe(1));
  act(() => FakeSocket.last.say({ type: 'readings', channel: 'home.flat.power', site: 'flat', unit: 'kW', n_rows: 1, rows: [] }));
  await waitFor(() => expect([count('/usage'), count('/readings'), count('/forecast')]).toEqual([2, 2, 2]));
});

test('a silent meter is said first, with the time it was last heard', async () => {
  openHome({ '/api/v1/homes/flat/usage': () => makeUsage({ mains: { is_late: true, heard_at: '2026-11-21T11:20:00Z', age_seconds: 10_800 } }) });
  expect(await screen.findByText('No new reading of the meter for 3 h')).toBeVisible();
  expect(screen.getByText(/last heard Sat 21 Nov, 12:20 CET/)).toBeVisible();
  expect(screen.getByRole('link', { name: 'Look at its source' })).toHaveAttribute('href', '/sources');
  expect(within(await card('Now')).getByText('late, measured 3 h ago')).toBeVisible();
});

test('a simulated home says so first and offers to add a real one', async () => {
  openHome({ '/api/v1/homes/flat/usage': () => makeUsage({ isSimulated: true }) });
  expect(await screen.findByText('Simulated: every number here is invented')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Add your own home' })).toHaveAttribute('href', '/start');
});

test('a home without readings says how to get some, and needs no forecast and no insights', async () => {
  const requests = openHome({ '/api/v1/homes/flat/usage': () => makeUsage({ isEmpty: true }), '/api/v1/homes/flat': () => makeHome({ measured: false }) });
  expect(await screen.findByText('No readings of Flat yet')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Bring its readings in' })).toHaveAttribute('href', '/start?home=flat');
  expect(screen.queryByRole('region', { name: 'Now' })).toBeNull();
  expect(requests.filter((request) => /forecast|insights/.test(request))).toEqual([]);
});

test('the first reading of an empty home fills the page without a reload', async () => {
  let isEmpty = true;
  openHome({ '/api/v1/homes/flat/usage': () => makeUsage({ isEmpty }), '/api/v1/homes/flat': () => makeHome({ measured: !isEmpty }) });
  await screen.findByText('No readings of Flat yet');
  act(() => FakeSocket.last.accept());
  isEmpty = false;
  act(() => FakeSocket.last.say({ type: 'readings', channel: 'home.flat.power', site: 'flat', unit: 'kW', n_rows: 1, rows: [] }));
  expect(within(await card('Now')).getByText('1.16 kW')).toBeVisible();
});

test('an unknown home is a problem with its cure, and nobody waits for its news', async () => {
  openHome({ '/api/v1/homes/villa/usage': () => problem(404, { title: 'Unknown site', detail: "home = 'villa'", remedy: 'Did you mean flat?' }) }, '/home/villa');
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent('Did you mean flat?');
  expect(within(alert).getByRole('link', { name: 'Add a home' })).toHaveAttribute('href', '/start');
  expect(screen.queryByText('Connecting')).toBeNull();
  act(() => FakeSocket.last.accept());
  expect(FakeSocket.last.readyState).toBe(FakeSocket.CLOSED);
  expect(FakeSocket.made).toHaveLength(1);
});

test('what was known stays, with its time, while the server does not answer', async () => {
  let isDown = false;
  openHome({ '/api/v1/homes/flat/usage': () => (isDown ? problem(503, { title: 'Busy' }) : makeUsage()) });
  await card('Now');
  act(() => FakeSocket.last.accept());
  isDown = true;
  act(() => FakeSocket.last.say({ type: 'dropped', n_messages: 3 }));
  expect(await screen.findByText('Watthour does not answer')).toBeVisible();
  expect(within(await card('Now')).getByText('1.16 kW')).toBeVisible();
});

test('while it loads the page holds its place', async () => {
  openHome({ '/api/v1/homes/flat/usage': () => new Promise(() => {}) });
  expect(await screen.findByRole('status', { name: 'Loading what is used now' })).toBeInTheDocument();
});

test('another home is chosen by name, and only its own figures are asked for', async () => {
  const requests = openHome({
    '/api/v1/homes': () => ({ homes: [makeHome(), makeHome({ id: 'barn', name: 'Barn (simulated)', simulated: true })] }),
    '/api/v1/homes/barn/usage': () => ({ ...makeUsage(), home: 'barn', name: 'Barn' }),
  });
  await userEvent.selectOptions(await screen.findByRole('combobox', { name: 'Home' }), 'Barn (simulated)');
  await waitFor(() => expect(window.location.pathname).toBe('/home/barn'));
  await waitFor(() => expect(requests).toContain('GET /api/v1/homes/barn/usage'));
});
