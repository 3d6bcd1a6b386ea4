// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { client } from '@/client/client.gen';
import { problem } from '@/test/page';

import { TrainNow } from './TrainNow';

const NOTHING = { step: null, problem: null, verdict: null };

/** Shows the button over a server that is in these states one after the other, the last one for good. */
function show(states: object[], begun: () => Response = () => Response.json({ region: 'ny', state: 'running' }, { status: 202 })): string[] {
  const requests: string[] = [];
  let hasBegun = false;
  const left = [...states];
  const fetch = async (request: Request): Promise<Response> => {
    requests.push(`${request.method} ${new URL(request.url).pathname}${new URL(request.url).search}`);
    if (request.method === 'POST') {
      hasBegun = true;
      return begun();
    }
    const state = hasBegun ? (left.length > 1 ? left.shift() : left[0]) : { state: 'idle' };
    return Response.json({ region: 'ny', ...NOTHING, ...state });
  };
  client.setConfig({ baseUrl: 'http://watthour.test', fetch: fetch as unknown as typeof globalThis.fetch });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TrainNow region="ny" />
    </QueryClientProvider>,
  );
  return requests;
}

test('a training is begun, its step is shown, and then the verdict', async () => {
  const requests = show([{ state: 'running', step: 'reading history' }, { state: 'done', verdict: 'day_process-1 is promoted.' }]);
  await userEvent.click(await screen.findByRole('button', { name: 'Train now' }));
  expect(await screen.findByText('reading history')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Training…' })).toBeDisabled();
  expect(await screen.findByText('day_process-1 is promoted.', {}, { timeout: 5000 })).toBeVisible();
  expect(requests).toContain('POST /api/v1/train?region=ny');
});

test('the verdict is there while past days are still forecast, and another training may begin', async () => {
  show([{ state: 'done', verdict: 'day_process-1 is promoted.', step: 'forecasting May 2024' }, { state: 'done', verdict: 'day_process-1 is promoted.' }]);
  await userEvent.click(await screen.findByRole('button', { name: 'Train now' }));
  expect(await screen.findByText('day_process-1 is promoted.')).toBeVisible();
  expect(screen.getByText(/in the background: forecasting May 2024/)).toBeVisible();
  expect(screen.getByRole('button', { name: 'Train now' })).toBeEnabled();
  await waitFor(() => expect(screen.queryByText(/in the background/)).toBeNull(), { timeout: 5000 });
});

test('a training that failed says why', async () => {
  show([{ state: 'failed', problem: 'It has 12 days to learn from; 60 are needed.' }]);
  await userEvent.click(await screen.findByRole('button', { name: 'Train now' }));
  expect(await screen.findByText(/60 are needed/)).toBeVisible();
});

test('while another training runs the refusal is shown with its cure', async () => {
  const refused = { title: 'Training is running', detail: 'a training of be is running', remedy: 'Wait until it has ended.' };
  show([{ state: 'idle' }], () => problem(409, refused));
  await userEvent.click(await screen.findByRole('button', { name: 'Train now' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Wait until it has ended.');
});
