// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import type { SourceEntry } from '@/client';
import { type Answers, openPage, problem } from '@/test/page';
import { makeSource, makeSources } from '@/test/sources';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

const SECRET = 'a-secret';

/** Opens the page over a server that keeps what it is told. */
function openSources(found: SourceEntry[], answers: Answers = {}): { method: string; path: string; body: unknown }[] {
  const said: { method: string; path: string; body: unknown }[] = [];
  const note = async (request: Request): Promise<void> => {
    const { pathname, search } = new URL(request.url);
    const text = await request.clone().text();
    said.push({ method: request.method, path: pathname + search, body: text ? JSON.parse(text) : null });
  };
  openPage('/sources', {
    '/api/v1/sources': async (request) => {
      if (request.method === 'GET') return makeSources(found);
      await note(request);
      return { kind: 'mqtt', label: 'MQTT broker' };
    },
    '/api/v1/sources/test': async (request) => {
      await note(request);
      return { works: true, words: '3 devices speak here: Fridge, Kettle, Plug.', remedy: null, things: [] };
    },
    ...answers,
  });
  return said;
}

test('nothing connected is said, with what can be added', async () => {
  openSources([]);
  expect(await screen.findByText('Nothing is connected yet.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'MQTT broker' })).toBeVisible();
  expect(screen.getByRole('link', { name: 'Add a home' })).toHaveAttribute('href', '/start');
});

test('a source shows how it stands, when it last spoke and what it fills', async () => {
  openSources([makeSource({ feeds: [{ channel: 'home.flat.energy', site: 'flat' }] })]);
  const row = await screen.findByRole('list', { name: 'Sources' });
  expect(row).toHaveTextContent('works');
  expect(row).toHaveTextContent(/Last heard 1[2-4].s ago · 720 values in the last hour/);
  expect(row).toHaveTextContent('Fills home.flat.energy · at 192.168.1.20');
  expect(row).toHaveTextContent('P1 meter import 13,779.3 kWh');
  expect(screen.getByText('One source, and it does what it should.')).toBeVisible();
});

test('one that was unplugged is said above all else, with what to do', async () => {
  const gone = makeSource({ state: 'failed', words: '192.168.1.20: no answer within 5 seconds.', remedy: 'Check that the device has power.' });
  openSources([gone, makeSource({ name: 'mqtt', kind: 'mqtt', label: 'MQTT broker' })]);
  expect(await screen.findByText('1 of 2 needs you: HomeWizard.')).toBeVisible();
  expect(screen.getByText('not reached')).toBeVisible();
  expect(screen.getByText('Check that the device has power.')).toBeVisible();
});

test('a request that failed and a file that was imported are told apart', async () => {
  openSources([
    makeSource({ name: 'eia:ny', kind: 'eia', label: 'EIA, demand', origin: 'built_in', state: 'failed', words: 'The last request failed.', problem: 'eia: answered 503', last_heard_at: null, last_run_at: '2026-11-21T13:20:00Z', things: [], feeds: [{ channel: null, site: 'ny' }] }),
    makeSource({ name: 'csv:a.csv', kind: 'csv', label: 'File a.csv', origin: 'file', words: 'Imported.', last_heard_at: null, last_run_at: '2026-11-21T12:20:00Z', things: [] }),
  ]);
  const [region, file] = (await screen.findByRole('list', { name: 'Sources' })).children;
  expect(region).toHaveTextContent('eia: answered 503');
  expect(region).toHaveTextContent(/Last asked 1.h ago/);
  expect(file).toHaveTextContent(/Read 2.h ago/);
  expect(screen.getByText('1 of 1 needs you: EIA, demand.')).toBeVisible();
  expect(screen.queryByRole('button', { name: /Remove/ })).toBeNull();
});

test('a source is tested and then added, and its password is not shown', async () => {
  const said = openSources([]);
  await userEvent.click(await screen.findByRole('button', { name: 'MQTT broker' }));
  const form = screen.getByRole('form', { name: 'MQTT broker' });
  expect(within(form).getByRole('button', { name: 'Test' })).toBeDisabled();
  await userEvent.type(within(form).getByLabelText('Address of the broker'), '192.168.1.10');
  await userEvent.type(within(form).getByLabelText('Password (optional)'), SECRET);
  expect(within(form).getByLabelText('Password (optional)')).toHaveAttribute('type', 'password');
  await userEvent.click(within(form).getByLabelText('Use TLS'));
  await userEvent.click(within(form).getByRole('button', { name: 'Test' }));
  expect(await screen.findByText('3 devices speak here: Fridge, Kettle, Plug.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Add' }));
  expect(await screen.findByText(/is taken up within seconds/)).toBeVisible();
  const settings = { host: '192.168.1.10', password: SECRET, tls: true };
  expect(said).toEqual([
    { method: 'POST', path: '/api/v1/sources/test', body: { kind: 'mqtt', settings } },
    { method: 'POST', path: '/api/v1/sources', body: { kind: 'mqtt', settings } },
  ]);
  expect(document.body).not.toHaveTextContent(SECRET);
});

test('a test that fails says why and what to do, and adding is still possible', async () => {
  openSources([], { '/api/v1/sources/test': () => ({ works: false, words: 'The broker refuses us.', remedy: 'Check username and password.', things: [] }) });
  await userEvent.click(await screen.findByRole('button', { name: 'MQTT broker' }));
  await userEvent.type(screen.getByLabelText('Address of the broker'), '192.168.1.10{Enter}');
  expect(await screen.findByText('It does not work yet')).toBeVisible();
  expect(screen.getByText('Check username and password.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Add without a test' })).toBeEnabled();
});

test('a test that fails names the field to blame with the cure, and leads there', async () => {
  openSources([], { '/api/v1/sources/test': () => ({ works: false, words: 'The broker refuses us.', remedy: 'Check username and password.', field: 'password', things: [] }) });
  await userEvent.click(await screen.findByRole('button', { name: 'MQTT broker' }));
  await userEvent.type(screen.getByLabelText('Address of the broker'), '192.168.1.10{Enter}');
  const password = screen.getByLabelText('Password (optional)');
  await waitFor(() => expect(password).toBeInvalid());
  expect(password).toHaveAccessibleDescription('The broker refuses us. Check username and password.');
  expect(password).toHaveFocus();
  expect(screen.getByLabelText('Address of the broker')).toBeValid();
  await userEvent.type(password, 'x');
  expect(password).toBeValid();
});

test('what the server refuses is said at its field without its name among the settings', async () => {
  const detail = "host = 'http://a: b': it is no address of a broker";
  openSources([], { '/api/v1/sources/test': () => problem(400, { title: 'Invalid input', detail, field: 'host', value: 'http://a: b', remedy: 'Give the address of the broker.' }) });
  await userEvent.click(await screen.findByRole('button', { name: 'MQTT broker' }));
  await userEvent.type(screen.getByLabelText('Address of the broker'), 'http://a: b{Enter}');
  await waitFor(() => expect(screen.getByLabelText('Address of the broker')).toHaveAccessibleDescription(/^It is no address of a broker\. Give the address of the broker\./));
});

test('what the server refuses is said in its words', async () => {
  openSources([], { '/api/v1/sources/test': () => problem(400, { title: 'Invalid input', detail: 'host: not in the network', remedy: 'Give its address at home.' }) });
  await userEvent.click(await screen.findByRole('button', { name: 'MQTT broker' }));
  await userEvent.type(screen.getByLabelText('Address of the broker'), '8.8.8.8{Enter}');
  expect(await screen.findByText('Give its address at home.')).toBeVisible();
});

test('a source is removed only once it is confirmed', async () => {
  const said = openSources([makeSource()]);
  await userEvent.click(await screen.findByRole('button', { name: 'Remove' }));
  expect(said).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Remove it' }));
  expect(said).toEqual([{ method: 'DELETE', path: '/api/v1/sources?kind=homewizard', body: null }]);
});

test('a server that cannot be read is said', async () => {
  openPage('/sources', { '/api/v1/sources': () => problem(400, { title: 'Invalid input', detail: 'sources file: it cannot be read', remedy: 'Mend it.' }) });
  expect(await screen.findByText('Mend it.')).toBeVisible();
});
