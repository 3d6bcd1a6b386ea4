// @vitest-environment jsdom
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import { type Answers, answersOf, openPage, problem } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

const simulated = answersOf('simtown');

async function importFile(answer: Answers[string]): Promise<void> {
  openPage('/grid/simtown', { ...simulated, '/api/v1/imports': answer });
  const file = new File(['Balancing Authority,Data Date'], 'EIA930_BALANCE_2026_Jul_Dec.csv', { type: 'text/csv' });
  await userEvent.upload(await screen.findByLabelText(/EIA930_BALANCE file/), file);
  await userEvent.click(screen.getByRole('button', { name: 'Import' }));
}

test('each way to connect shows its command', async () => {
  openPage('/grid/simtown', simulated);
  expect(await screen.findByText('EIA_API_KEY=... watthour up')).toBeVisible();
});

test('a file is sent with its region and the new rows are counted', async () => {
  await importFile(() => ({ region: 'ny', new_rows: 4416, refused_rows: 3 }));
  expect(await screen.findByText('4,416 new rows for ny')).toBeVisible();
  expect(screen.getByText(/3 rows were refused/)).toBeVisible();
  expect(screen.getByRole('link', { name: 'Open ny' })).toHaveAttribute('href', '/grid/ny');
});

test('a refused file says why and what to do', async () => {
  await importFile(() => problem(422, { title: 'Not a balance file', detail: 'It has no column "Demand (MW)".', remedy: 'Take the six-month file.' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Take the six-month file.');
});
