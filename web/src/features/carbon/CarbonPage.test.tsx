// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';

import * as csv from '@/lib/csv';
import { answersOfCarbon, makeCarbonForecast, makeTrend, makeWindow } from '@/test/carbon';
import { type Answers, openPage, problem } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

beforeEach(() => localStorage.clear());

function openCarbon(answers: Answers = {}, address = '/carbon/ny'): string[] {
  return openPage(address, { ...answersOfCarbon(), ...answers });
}

/** A card by its heading. */
async function card(name: string): Promise<HTMLElement> {
  return screen.findByRole('region', { name });
}

test('the first region opens, and the answer stands first', async () => {
  openCarbon({}, '/carbon');
  expect(await screen.findByText(/^Cleanest 3 hours in the next 24 hours: Sunday 02:00\./)).toBeVisible();
  expect(window.location.pathname).toBe('/carbon/ny');
  expect(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Carbon in New York');
});

test('now is told with its kind, its band, its trend and the age of what is known', async () => {
  openCarbon();
  const now = await card('Now');
  expect(within(now).getByText('230 gCO2e/kWh')).toBeVisible();
  expect(within(now).getByText('average of production, life-cycle emissions, from the mix of fuels')).toBeVisible();
  expect(await within(now).findByText(/Getting cleaner: 10\s% less in the next 3 hours\./)).toHaveTextContent(/14\s% below what is usual at that time\./);
  expect(await within(now).findByText(/^Last known: 228\sgCO2e\/kWh, Sat 21 Nov, 07:00 EST, 3\sh ago\.$/)).toBeVisible();
  const fuels = within(now).getByRole('list', { name: 'Mix of fuels' });
  expect(within(fuels).getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual(['gas 55\u00a0%']);
});

test('another duration and deadline are asked for, and the runs are compared', async () => {
  const requests = openCarbon();
  const runs = await screen.findByRole('table', { name: 'Best times for the run' });
  const rows = within(runs).getAllByRole('row').slice(1);
  expect(rows.map((row) => within(row).getByRole('rowheader').textContent)).toEqual(['Best Sun 22 Nov, 02:00–05:00', 'At once 10:30–13:30', 'Runner-up Sun 22 Nov, 06:00–09:00']);
  expect(rows.slice(1, 2).flatMap((row) => within(row).getAllByRole('cell').map(({ textContent }) => textContent))).toEqual(['230', '40', '−5 to 88', '93']);
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'It takes' }), '2 hours');
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'It must be done' }), 'by 07:00');
  await waitFor(() => expect(requests).toContain('GET /api/v1/carbon/ny/best-window?duration=2h&deadline=07%3A00'));
});

test('where no difference is sure it is said, and a run at once is no runner-up', async () => {
  const window = makeWindow({ certainty: 'unsure' });
  openCarbon({ '/api/v1/carbon/ny/best-window': () => ({ ...window, runner_up: window.at_once, ahead_of_runner_up: window.saving }) });
  expect(await screen.findByText(/^No difference is sure/)).toBeVisible();
  const runs = screen.getByRole('table', { name: 'Best times for the run' });
  expect(within(runs).getAllByRole('row')).toHaveLength(3);
});

test('a run that does not fit says why and how to make it fit; the rest of the page stays', async () => {
  const refused = { title: 'Invalid input', detail: "deadline = '07:00': a run of 8:00:00 does not end before the deadline", remedy: 'Give a later deadline.' };
  openCarbon({ '/api/v1/carbon/ny/best-window': () => problem(400, refused) });
  const window = await card('Best time for a run');
  expect(await within(window).findByText(/does not end before the deadline/)).toBeVisible();
  expect(within(window).getByText(/Give a later deadline/)).toBeVisible();
  expect(within(window).getByRole('combobox', { name: 'It must be done' })).toBeVisible();
  expect(await card('The hours ahead')).toBeVisible();
});

test('the hours ahead and the past have their tables and files; a gap is a dash', async () => {
  const save = vi.spyOn(csv, 'download').mockImplementation(() => {});
  openCarbon();
  const ahead = await card('The hours ahead');
  await userEvent.click(within(ahead).getByRole('radio', { name: 'Table' }));
  expect(within(ahead).getByRole('table', { name: 'The hours ahead in numbers' })).toHaveTextContent('Usual');
  await userEvent.click(within(ahead).getByRole('button', { name: 'Download CSV' }));
  expect(save.mock.calls[0]?.[0]).toBe('watthour-ny-carbon-ahead.csv');
  expect(save.mock.calls[0]?.[1]).toContain('usual_gco2e_kwh');
  const past = await card('The past');
  await userEvent.click(within(past).getByRole('radio', { name: 'Table' }));
  const table = within(past).getByRole('table', { name: 'The past in numbers' });
  expect(within(table).getAllByRole('cell').map(({ textContent }) => textContent)).toContain('–');
  expect(within(table).queryByText('Forecast')).toBeNull();
});

test('how good it was is told against yesterday', async () => {
  openCarbon();
  const scores = await card('How good the forecasts were');
  expect(within(scores).getByText(/Its error was 40\s% smaller than that of taking the day before again\./)).toBeVisible();
});

test('stale readings and a simpler forecast are said', async () => {
  openCarbon({ '/api/v1/carbon/ny/forecast': () => makeCarbonForecast({ stale: true, data_age_hours: 30, fallback: 'Mean of the last seven days answers: no model yet.' }) });
  expect(await screen.findByText(/^No new reading for 30\sh$/)).toBeVisible();
  expect(screen.getByText('A simpler forecast is shown')).toBeVisible();
});

test('simulated numbers say so above all else', async () => {
  openCarbon({ '/api/v1/carbon/ny/forecast': () => makeCarbonForecast({ simulated: true }) });
  expect(await screen.findByText('Simulated: every number here is invented')).toBeVisible();
});

test('without scores yet it is said when they come', async () => {
  openCarbon({ '/api/v1/carbon/ny/forecast': () => makeCarbonForecast({ scores: { days: 30, protocol: '', rows: [] } }) });
  expect(await screen.findByText(/^Nothing to score yet/)).toBeVisible();
});

test('hours that are not forecast have no trend', async () => {
  openCarbon({ '/api/v1/carbon/ny/trend': () => makeTrend({ trend: null, ahead: null, change: null, change_percent: null }) });
  expect(await screen.findByText('The next hours are not all forecast.')).toBeVisible();
});

test('a region without carbon figures says what to do', async () => {
  const unknown = { title: 'Unknown name', detail: 'nothing tells the carbon intensity of Ohio', remedy: 'Bring in its generation by fuel.' };
  openCarbon({ '/api/v1/carbon/oh/forecast': () => problem(404, unknown) }, '/carbon/oh');
  expect(await screen.findByText(/nothing tells the carbon intensity of Ohio/)).toBeVisible();
  expect(screen.getByRole('link', { name: 'What is connected' })).toHaveAttribute('href', '/sources');
  expect(screen.queryByRole('region', { name: 'Now' })).toBeNull();
});

test('where nothing is known at all the page says how to begin', async () => {
  openCarbon({ '/api/v1/carbon/regions': () => ({ regions: [] }) }, '/carbon');
  expect(await screen.findByText('No carbon intensity yet')).toBeVisible();
});

test('a first answer that takes long is waited for in words, and what the server says meanwhile is told', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  openCarbon({ '/api/v1/carbon/ny/forecast': () => new Promise(() => undefined), '/api/v1/carbon/ny/best-window': () => new Promise(() => undefined) });
  const waiting = await screen.findByRole('status', { name: 'Loading the next 96 hours' });
  expect(waiting).not.toHaveTextContent('Still waiting');
  await vi.advanceTimersByTimeAsync(5000);
  expect(await within(waiting).findByText('Still waiting for the next 96 hours.')).toBeVisible();
  vi.useRealTimers();
});

test('a server that had no time for its first answer is asked again by itself', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  let isReady = false;
  openCarbon({ '/api/v1/carbon/ny/forecast': () => (isReady ? makeCarbonForecast() : problem(504, { title: 'Timeout', detail: 'The computation took longer than 30 s.' })) });
  expect(await screen.findByText('The computation took longer than 30 s.')).toBeVisible();
  isReady = true;
  await vi.advanceTimersByTimeAsync(31_000);
  expect(await card('Now')).toBeVisible();
  vi.useRealTimers();
});
