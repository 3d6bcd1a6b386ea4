// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';

import * as csv from '@/lib/csv';
import { answersOfDevices, makeDevice, makeDeviceInsights, makeHomeWithDevices, makePast, makeUsageOfDevices } from '@/test/devices';
import { makeAhead } from '@/test/homes';
import { type Answers, openPage, problem } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

beforeEach(() => localStorage.clear());

const HOME = '/api/v1/homes/flat';
const BOILER = `${HOME}/devices/boiler`;
const LOOK_AGAIN_MS = 5100;

function openDevice(answers: Answers = {}, device = 'boiler'): string[] {
  return openPage(`/devices/flat/${device}`, { ...answersOfDevices(), ...answers });
}

async function card(name: string): Promise<HTMLElement> {
  return screen.findByRole('region', { name });
}

test('what it draws now and used today is said first', async () => {
  openDevice();
  expect(await screen.findByText('Boiler draws 900 W now; it used 1.62 kWh today, yesterday up to this time 3.94 kWh.')).toBeVisible();
  const about = await card('About it');
  expect(within(about).getByText('May be paused')).toBeVisible();
  expect(within(about).getByText('home.flat.boiler.power (W, every 15 min)')).toBeVisible();
});

test('the past has its gaps, its table and its file', async () => {
  const saved = vi.spyOn(csv, 'download').mockReturnValue();
  openDevice();
  const past = await card('Past');
  expect(await within(past).findByText('2.00 kWh used in the 68% of the time that is known of this device.')).toBeVisible();
  expect(within(past).getByRole('slider')).toHaveAttribute('aria-valuetext', 'Sat 21 Nov, 04:00–05:00, 1.20\u00a0kW');
  await userEvent.click(within(past).getByRole('radio', { name: 'Table of the past' }));
  const rows = within(past).getAllByRole('row').slice(1).map(({ textContent }) => textContent);
  expect(rows).toEqual(['Sat 21 Nov, 01:00–02:000.50whole', 'Sat 21 Nov, 02:00–03:00–not known', 'Sat 21 Nov, 03:00–04:000.40only 75% of it is known', 'Sat 21 Nov, 04:00–05:001.20whole']);
  await userEvent.click(within(past).getByRole('button', { name: 'Download the past as CSV' }));
  expect(saved.mock.calls[0]?.[1].split('\r\n')[2]).toBe('2026-11-21T01:00:00Z,2026-11-21T02:00:00+01:00,2026-11-21T02:00:00Z,,,0');
});

function asked(start: string, end: string): string {
  return `GET ${HOME}/history?device=boiler&start=${start}&end=${end}`;
}

test('a week and a month are asked for by whole days, and one can go back and forth', async () => {
  const requests = openDevice();
  const past = await card('Past');
  await waitFor(() => expect(requests).toContain(asked('2026-11-21', '2026-11-21')));
  await userEvent.click(within(past).getByRole('radio', { name: 'Week' }));
  await waitFor(() => expect(requests).toContain(asked('2026-11-15', '2026-11-21')));
  await userEvent.click(within(past).getByRole('button', { name: 'A week earlier' }));
  await waitFor(() => expect(requests).toContain(asked('2026-11-08', '2026-11-14')));
  await userEvent.click(within(past).getByRole('button', { name: 'A week later' }));
  expect(within(past).getByRole('button', { name: 'A week later' })).toBeDisabled();
});

test('a month is told in days by their energy', async () => {
  const spans = makePast().spans.slice(3).map((span) => Object.assign({}, span, { time: '2026-11-19T23:00:00Z', local_time: '2026-11-20T00:00:00+01:00', end: '2026-11-20T23:00:00Z', kwh: 9.4 }));
  openDevice({ [`${HOME}/history`]: () => makePast({ step_seconds: 86_400, spans }) });
  const past = await card('Past');
  expect(await within(past).findByText('Energy of each day in kWh')).toBeVisible();
  expect(within(past).getByRole('slider')).toHaveAttribute('aria-valuetext', 'Fri 20 Nov, 9.40\u00a0kWh');
});

test('days of which nothing is known say what to do', async () => {
  openDevice({ [`${HOME}/history`]: () => makePast({ spans: [] }) });
  expect(await screen.findByText(/No readings of these days\. Go to an earlier day/)).toBeVisible();
});

test('tomorrow is forecast for the device alone, and a device seldom on by its probability', async () => {
  const day = { day: '2026-11-22', intervals: 24, probability: 0.42, expected_kwh: 0.51, lower_kwh: 0, upper_kwh: 1.3, starts: 0.5 };
  const requests = openDevice({ [`${HOME}/forecast`]: () => makeAhead({ kind: 'device', id: 'home.flat.boiler', made_by: 'rare_use', days: [day] }) });
  const tomorrow = await card('Tomorrow');
  expect(within(tomorrow).getByText('Runs with a probability of 42%, 0.51 kWh expected; with 90 % probability 0.00–1.30 kWh.')).toBeVisible();
  expect(requests).toContain(`GET ${HOME}/forecast?hours=49&device=boiler`);
});

test('where there is no forecast, it is said why and what to do', async () => {
  openDevice({ [`${HOME}/forecast`]: () => problem(409, { title: 'Not enough history', detail: 'the store has no readings of home.flat.boiler.power', remedy: 'Send some.' }) });
  const tomorrow = await card('Tomorrow');
  expect(within(tomorrow).getByText('No forecast yet')).toBeVisible();
  expect(within(tomorrow).getByText(/Send some\.$/)).toBeVisible();
});

test('its insights stand with their evidence, and why others are not known', async () => {
  const impact = { step_w: 1980, low_w: 1900, high_w: 2050, is_sure: true, n_on: 12, n_off: 11, sample_seconds: 5 };
  openDevice({ [`${BOILER}/insights`]: () => makeDeviceInsights({ impact }) });
  const insights = await card('Insights');
  expect(await within(insights).findByText(/^9 with 7\.40 kWh/)).toBeVisible();
  expect(within(insights).getByText(/^1\.98 kW/)).toBeVisible();
  expect(within(insights).getByText(/The load is 120 W higher at all hours/)).toBeVisible();
  await userEvent.click(within(insights).getByText('What is not known, and what would help'));
  expect(within(insights).getByText('Habits: too few days of one kind are known. Wait, or import older readings.')).toBeVisible();
});

test('its uses stand newest first, with their length and energy', async () => {
  openDevice();
  const uses = await card('Uses');
  const rows = within(uses).getAllByRole('row').slice(1).map(({ textContent }) => textContent);
  expect(rows).toEqual(['Sat 21 Nov, 06:00–06:4040\u00a0min–', 'Fri 20 Nov, 19:05–20:451\u00a0h 40\u00a0min0.85']);
});

test('one that is silent for longer than usual is said to be, with its last value as such', async () => {
  const usage = makeUsageOfDevices();
  const parts = usage.parts.map((part) => (part.part === 'home.flat.boiler' ? { ...part, is_late: true, heard_at: '2026-11-21T11:20:00Z' } : part));
  openDevice({ [`${HOME}/usage`]: () => ({ ...usage, parts }) });
  expect(await screen.findByText('Silent for 3 h')).toBeVisible();
  expect(screen.getByText(/^Boiler drew 900 W when last heard/)).toBeVisible();
});

test('it is changed, and what is left out is taken away', async () => {
  const bodies: unknown[] = [];
  openDevice({
    [BOILER]: async (request) => {
      bodies.push([request.method, await request.json()]);
      return makeDevice('boiler', 'Tank');
    },
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Change Boiler' }));
  const form = screen.getByRole('form', { name: 'Change Boiler' });
  await userEvent.clear(within(form).getByLabelText('Name'));
  await userEvent.type(within(form).getByLabelText('Name'), 'Tank');
  await userEvent.click(within(form).getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('form', { name: 'Change Boiler' })).toBeNull());
  expect(bodies).toEqual([['PATCH', { name: 'Tank', kind: 'water_heater', rating_w: null, flexibility: 'interruptible', zone: null }]]);
});

test('it is removed with its readings only after that was said', async () => {
  const requests = openDevice({ [BOILER]: () => ({ id: 'home.flat.boiler', name: 'Boiler' }) });
  await userEvent.click(await screen.findByRole('button', { name: 'Remove Boiler' }));
  expect(screen.getByText('Its readings, uses and forecasts will be deleted permanently.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Remove it with its readings and uses' }));
  expect(await screen.findByRole('table', { name: 'Devices' })).toBeVisible();
  expect(requests).toContain(`DELETE ${BOILER}?delete_readings=true`);
});

test('a device that there is not is told, with the way to the list', async () => {
  openDevice({}, 'kettel');
  expect(await screen.findByText('Flat has no device "kettel"')).toBeVisible();
  expect(screen.getByRole('link', { name: /Devices of Flat/ })).toHaveAttribute('href', '/devices/flat');
});

test('a device that somebody else removes says so by itself, and is live no longer', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    const home = makeHomeWithDevices();
    let devices = home.devices;
    openDevice({ [HOME]: () => ({ ...home, devices }) });
    expect(await screen.findByRole('button', { name: 'Change Boiler' })).toBeVisible();
    devices = devices.filter(({ name }) => name !== 'Boiler');
    await vi.advanceTimersByTimeAsync(LOOK_AGAIN_MS);
    expect(await screen.findByText('Boiler was removed')).toBeVisible();
    expect(screen.queryByText(/^(Live|Connecting)/)).toBeNull();
    expect(screen.queryByRole('region', { name: 'Past' })).toBeNull();
    expect(screen.getByRole('link', { name: 'See the devices there are' })).toHaveAttribute('href', '/devices/flat');
  } finally {
    vi.useRealTimers();
  }
});

test('a device that nothing measures says so', async () => {
  openDevice({ [HOME]: () => makeHomeWithDevices(), [`${HOME}/history`]: () => makePast({ channels: [], spans: [] }) }, 'heater');
  expect(await screen.findByText('Nothing measures Heater yet.')).toBeVisible();
  expect(await screen.findByText(/Nothing measures this device yet: give it a channel/)).toBeVisible();
});
