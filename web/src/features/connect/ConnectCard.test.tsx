// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import { type Answers, answersOf, openPage, problem } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

const simulated = answersOf('simtown');

const PREVIEW = {
  file: 'load.csv',
  encoding: 'utf-8',
  separator: 'comma',
  decimal: 'point',
  date_order: 'mdy',
  date_order_reason: 'otherwise most dates would not exist',
  time_columns: ['Timestamp'],
  time_zone: null,
  names_end: false,
  named_by_reason: 'assumed',
  value_column: 'Load (MW)',
  value_columns: ['Load (MW)'],
  columns: ['Timestamp', 'Load (MW)'],
  unit: 'MW',
  channel: 'grid.load.demand',
  step_seconds: 3600,
  first_time: '2021-01-01T00:00:00Z',
  last_time: '2021-01-31T23:00:00Z',
  rows: 744,
  refused: { value_is_a_number: 3 },
  doubted: 0,
  cells: [['01/01/2021 12:00 AM', '15,234']],
  values: [{ time: '2021-01-01T00:00:00Z', value: 15234 }],
  notes: [],
  is_new_site: true,
  is_sample: false,
  meter: 'interval',
  questions: [
    { field: 'channel', problem: 'nobody has said what the table measures', choices: ['grid.load.demand'] },
    { field: 'time_zone', problem: 'the times carry no time zone', choices: [] },
  ],
};

/** A server that is asked with ever more choices, and at last to import. */
function makeServer(): Answers[string] {
  let asked = 0;
  return () => {
    const preview = { ...PREVIEW, time_zone: asked > 1 ? 'America/New_York' : null, questions: PREVIEW.questions.slice(asked) };
    const isImport = asked === 3;
    asked += 1;
    const rows = isImport ? 741 : 0;
    const next = isImport ? [{ text: 'Give its coordinates.', command: 'watthour site change load --latitude 48.85' }] : [];
    return { region: 'load', channel: PREVIEW.channel, new_rows: rows, refused_rows: 3, refused: PREVIEW.refused, doubted: { out_of_range: 2 }, preview, next };
  };
}

async function choose(imports: Answers[string]): Promise<void> {
  openPage('/grid/simtown', { ...simulated, '/api/v1/imports': imports });
  const file = new File(['Timestamp,Load (MW)'], 'load.csv', { type: 'text/csv' });
  await userEvent.upload(await screen.findByLabelText(/Table of readings/), file);
}

test('each way to connect shows its command', async () => {
  openPage('/grid/simtown', simulated);
  expect(await screen.findByText('EIA_API_KEY=... watthour up')).toBeVisible();
});

test('a file is shown as understood, asked what is open, and then imported', async () => {
  await choose(makeServer());
  expect(await screen.findByRole('table', { name: 'First rows as read' })).toHaveTextContent('15234');
  expect(screen.getByText('3 rows cannot be read')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Import' })).toBeDisabled();
  await userEvent.click(screen.getByRole('button', { name: 'Use' }));
  await userEvent.selectOptions(await screen.findByLabelText(/Time zone/), 'America/New_York');
  await waitFor(() => expect(screen.getByRole('button', { name: 'Import' })).toBeEnabled());
  await userEvent.click(screen.getByRole('button', { name: 'Import' }));
  expect(await screen.findByText('741 new rows for load')).toBeVisible();
  expect(screen.getByText(/3 rows were refused/)).toBeVisible();
  expect(screen.getByText(/2 values cannot be right/)).toBeVisible();
  expect(screen.getByRole('link', { name: 'Open load' })).toHaveAttribute('href', '/grid/load');
});

const answerIn = (unit: string) => ({ region: 'load', channel: PREVIEW.channel, new_rows: 0, refused_rows: 0, refused: {}, doubted: {}, preview: { ...PREVIEW, unit, questions: [] }, next: [] });

test('of two looks at a file the one that was asked for last is shown, also where it is answered first', async () => {
  const waiting: ((unit: string) => void)[] = [];
  let asked = 0;
  await choose(() => {
    asked += 1;
    return asked === 1 ? answerIn('MW') : new Promise((resolve) => waiting.push((unit) => resolve(answerIn(unit))));
  });
  const unit = await screen.findByLabelText('Unit');
  await userEvent.selectOptions(unit, 'kW');
  await userEvent.selectOptions(unit, 'Wh');
  await waitFor(() => expect(waiting).toHaveLength(2));
  waiting[1]?.('Wh');
  await waitFor(() => expect(screen.getByRole('columnheader', { name: /Value/ })).toHaveTextContent('Wh'));
  await act(async () => {
    waiting[0]?.('kW');
    await new Promise((done) => {
      setTimeout(done, 50); // for the answer to come through; none of it may be seen
    });
  });
  expect(screen.getByRole('columnheader', { name: /Value/ })).toHaveTextContent(/Wh/);
  expect(screen.getByLabelText('Unit')).toHaveValue('Wh');
});

const HOLIDAYS = {
  likely: 'US',
  countries: [{ code: 'FR', parts: [] }, { code: 'US', parts: ['NY'] }],
  optional: [{ code: 'ramadan', name: 'Ramadan', says: 'The month of fasting.' }],
};

test('times are shown by the clock of the chosen zone, and the likely holidays are shown and can be changed', async () => {
  const answer = makeServer();
  const sent: (FormDataEntryValue | null)[] = [];
  let held = Promise.resolve();
  const gate: { open?: () => void } = {};
  openPage('/grid/simtown', {
    ...simulated,
    '/api/v1/holidays': () => HOLIDAYS,
    '/api/v1/imports': async (request) => {
      sent.push((await request.formData()).get('holidays'));
      await held;
      return answer?.(request);
    },
  });
  await userEvent.upload(await screen.findByLabelText(/Table of readings/), new File(['Timestamp,Load (MW)'], 'load.csv', { type: 'text/csv' }));
  expect(await screen.findByRole('table', { name: 'First rows as read' })).toHaveTextContent('2021-01-01 00:00');
  expect(screen.queryByLabelText('Public holidays')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Use' }));
  await userEvent.selectOptions(await screen.findByLabelText(/Time zone/), 'America/New_York');
  expect(await screen.findByLabelText('Public holidays')).toHaveValue('US');
  await waitFor(() => expect(screen.getByRole('table', { name: 'First rows as read' })).toHaveTextContent('31 Dec 2020, 19:00 EST'));
  await userEvent.selectOptions(screen.getByLabelText('Public holidays'), 'US-NY');
  held = new Promise<void>((resolve) => {
    gate.open = resolve;
  });
  await userEvent.click(screen.getByRole('button', { name: 'Import' }));
  expect(await screen.findByRole('button', { name: 'Importing 744 rows…' })).toBeDisabled();
  gate.open?.();
  expect(await screen.findByText('741 new rows for load')).toBeVisible();
  expect(screen.getByText('watthour site change load --latitude 48.85')).toBeVisible();
  expect(sent.at(-1)).toBe('US-NY');
});

test('a file that is dropped is read like one that is chosen', async () => {
  openPage('/grid/simtown', { ...simulated, '/api/v1/imports': makeServer() });
  const zone = (await screen.findByText(/Drop a file here/)).closest('div');
  const file = new File(['Timestamp,Load (MW)'], 'load.csv', { type: 'text/csv' });
  fireEvent.drop(zone as HTMLElement, { dataTransfer: { files: [file] } });
  expect(await screen.findByRole('table', { name: 'First rows as read' })).toBeVisible();
});

test('a refused file says why and what to do', async () => {
  await choose(() => problem(400, { title: 'Invalid input', detail: 'It is an Excel workbook.', remedy: 'Save it as CSV UTF-8.' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Save it as CSV UTF-8.');
});
