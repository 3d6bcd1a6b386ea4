// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test } from 'vitest';

import { type Answers, openPage, problem } from '@/test/page';
import { answersOfSavings, makeSavings } from '@/test/savings';

import { savedInWords, spanOf } from './words';

beforeEach(() => localStorage.clear());

function open(answers: Answers = {}): string[] {
  return openPage('/savings/flat', { ...answersOfSavings(), ...answers });
}

async function row(name: RegExp): Promise<string[]> {
  const table = await screen.findByRole('table', { name: 'Savings in numbers' });
  return within(within(table).getByRole('row', { name })).getAllByRole('cell').map(({ textContent }) => textContent);
}

test('what was saved this month stands first, in money and carbon', async () => {
  openPage('/savings', answersOfSavings());
  expect(await screen.findByText(/^This month: saved 0\.10\sEUR and 0\.06\skg CO2, against starting at once\.$/)).toBeVisible();
  expect(window.location.pathname).toBe('/savings/flat');
  const total = screen.getByRole('region', { name: 'Beside other times' });
  expect(total).toHaveTextContent('Against your usual habitSaved 0.19 EUR and 0.07 kg CO2');
  expect(total).toHaveTextContent('Missed beside the best0.21 EUR; 94 % of the most was saved');
  expect(total).toHaveTextContent('Shifted13.2 kWhenergy used at another time; none was saved by that');
  expect(total).toHaveTextContent(/Partly estimated\. Carbon of 1 of 2 runs is known; Usual times of 1 of 2 runs is known; the rest is not counted/);
});

test('a run stands beside both times it is compared with; what is not known is a dash, what cost more negative', async () => {
  open();
  expect(await row(/^dishwasher Fri 20 Nov, 02:20–04:20/)).toEqual(['+0.15', '+0.06', '+0.19', '+0.07', '0.23', '0.38', '0.42', '0.01', '1.20', '1.20', '02:15', 'Thu 19 Nov, 20:00', 'Thu 19 Nov, 21:30']);
  const [saved, carbon, usual] = await row(/^car Thu 19 Nov, 00:00–03:00 estimated its carbon is not known/);
  expect([saved, carbon, usual]).toEqual(['−0.05', '–', '–']);
});

test('days and months have their own rows and their own file', async () => {
  const requests = open();
  await screen.findByRole('table', { name: 'Savings in numbers' });
  expect(screen.getByRole('link', { name: 'Download savings as CSV' })).toHaveAttribute('href', '/api/v1/homes/flat/savings.csv?by=run');
  await userEvent.click(screen.getByRole('radio', { name: 'Days' }));
  await waitFor(() => expect(requests).toContain('GET /api/v1/homes/flat/savings?by=day'));
  expect(screen.getByRole('link', { name: 'Download savings as CSV' })).toHaveAttribute('href', '/api/v1/homes/flat/savings.csv?by=day');
  await userEvent.click(screen.getByRole('radio', { name: 'Last month' }));
  await waitFor(() => expect(requests.some((each) => /savings\?by=day&start=\d{4}-\d\d-01&end=\d{4}-\d\d-\d\d$/.test(each))).toBe(true));
});

test('days name how many runs they hold', async () => {
  const savings = makeSavings({ by: 'day' });
  open({ '/api/v1/homes/flat/savings': () => ({ ...savings, rows: savings.rows.map((each) => ({ ...each, kind: 'all', name: null, n_runs: 3 })) }) });
  expect(await row(/^Fri 20 Nov 3 runs/)).toHaveLength(10);
});

test('where nothing was run yet the way to the plan is shown', async () => {
  open({ '/api/v1/homes/flat/savings': () => makeSavings({ rows: [], remarks: ['No device tells when the dishwasher ran.'] }) });
  expect(await screen.findByText('Nothing was run in this time yet')).toBeVisible();
  expect(screen.getByText('No device tells when the dishwasher ran.')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Look at the plan' })).toHaveAttribute('href', '/plan/flat');
});

test('without equipment or tariff the page says what is missing', async () => {
  open({ '/api/v1/homes/flat/savings': () => problem(404, { title: 'Unknown name', detail: 'Flat has no tariff yet', field: 'tariff' }) });
  expect(await screen.findByText('Flat has no tariff yet')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Say it on the page Plan' })).toHaveAttribute('href', '/plan/flat');
});

test('remarks and simulated numbers are said', async () => {
  open({ '/api/v1/homes/flat/savings': () => makeSavings({ is_simulated: true, remarks: ['Prices of 3 hours are not known.'] }) });
  expect(await screen.findByText('Simulated: every number here is invented')).toBeVisible();
  expect(screen.getByText('Prices of 3 hours are not known.')).toBeVisible();
});

test('what cost more is never called saved', () => {
  expect(savedInWords(-0.1, 0.8, 'EUR')).toBe('Cost 0.10\u00a0EUR more, saved 0.80\u00a0kg CO2');
  expect(savedInWords(0.1, -0.8, 'EUR')).toBe('Saved 0.10\u00a0EUR, emitted 0.80\u00a0kg CO2 more');
  expect(savedInWords(-0.1, -0.8, 'EUR')).toBe('Cost 0.10\u00a0EUR and emitted 0.80\u00a0kg CO2 more');
  expect(savedInWords(0.1, null, 'EUR')).toBe('Saved 0.10\u00a0EUR');
  expect(savedInWords(null, null, 'EUR')).toBeNull();
});

test('the last month of January is December of the year before', () => {
  expect(spanOf('last', '2027-01-05')).toEqual({ start: '2026-12-01', end: '2026-12-31' });
  expect(spanOf('month', '2027-01-05')).toEqual({ start: null, end: null });
  expect(spanOf('year', '2027-03-05')).toEqual({ start: '2027-01-01', end: null });
});
