// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import * as csv from '@/lib/csv';
import { makeForecast, makeScores, makeStatus } from '@/test/fixtures';
import { openPage, problem } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => <div data-testid="chart" /> }));

const HEADLINE = /^Sunday peaks at 19,190 MWh/;

test('the first page is the grid of the first region', async () => {
  openPage('/');
  expect(await screen.findByText(HEADLINE)).toBeVisible();
  expect(window.location.pathname).toBe('/grid/ny');
  expect(screen.getByRole('link', { name: 'Grid' })).toHaveAttribute('aria-current', 'page');
});

test('the answer is announced when it changes', async () => {
  openPage('/grid/ny');
  expect(await screen.findByText(HEADLINE)).toHaveAttribute('aria-live', 'polite');
});

test('the page says when the forecast was issued, what was known and by which model', async () => {
  openPage('/grid/ny');
  expect(await screen.findByText('Sat 21 Nov, 08:00 EST')).toBeVisible();
  expect(screen.getByText('Sat 21 Nov, 06:00 EST')).toBeVisible();
  expect(screen.getByText('gradient_boosting-20261101T060000-ab12cd')).toBeVisible();
});

test('the table shows what the API said, hour by hour', async () => {
  openPage('/grid/ny');
  await userEvent.click(await screen.findByRole('radio', { name: 'Table' }));
  const table = screen.getByRole('table', { name: 'Demand of the day by hour' });
  const row = within(table).getByRole('row', { name: /^18:00–19:00/ });
  const point = makeForecast().points[18];
  expect(within(row).getAllByRole('cell')[0]).toHaveTextContent(point?.value?.toLocaleString('en-US') ?? 'no value');
  expect(within(table).getAllByRole('row')).toHaveLength(25);
});

test('arrow keys choose an hour and say its values', async () => {
  openPage('/grid/ny');
  const chart = await screen.findByRole('slider', { name: /Chart of the day/ });
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, 18:00–19:00, Forecast/));
  chart.focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, 19:00–20:00/));
  await userEvent.keyboard('{Home}{ArrowLeft}');
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, 00:00–01:00/));
});

test('the file holds the hours of the day and those before', async () => {
  const download = vi.spyOn(csv, 'download').mockImplementation(() => {});
  openPage('/grid/ny');
  await userEvent.click(await screen.findByRole('button', { name: 'Download CSV' }));
  expect(download).toHaveBeenCalledWith('watthour-ny-2026-11-22.csv', expect.stringContaining('2026-11-22T05:00:00Z'));
});

test('the previous day opens as it was known then', async () => {
  const requests = openPage('/grid/ny', {
    '/api/v1/grid/ny/forecast': ({ url }) => {
      const day = new URL(url).searchParams.get('day');
      return day ? makeForecast({ day, isPast: true }) : makeForecast();
    },
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Previous day' }));
  expect(await screen.findByText(/^Wednesday peaked/)).toBeVisible();
  expect(window.location.search).toBe('?day=2026-11-21');
  expect(requests).toContain('GET /api/v1/grid/ny/forecast?day=2026-11-21');
  expect(screen.getByText('Reconstructed')).toBeVisible();
  expect(screen.getByText('1.34 %')).toBeVisible();
});

test('no day beyond the last can be opened', async () => {
  openPage('/grid/ny');
  expect(await screen.findByRole('button', { name: 'Next day' })).toBeDisabled();
});

test('a simulated region says so first and offers a real one', async () => {
  openPage('/', {
    '/api/v1/status': () => makeStatus({ isSimulated: true }),
    '/api/v1/grid/simtown/forecast': () => makeForecast({ isSimulated: true }),
    '/api/v1/grid/simtown/scores': () => makeScores(),
  });
  expect(await screen.findByText('Simulated region: invented weather and demand')).toBeVisible();
  expect(await screen.findByRole('heading', { name: 'Connect real data' })).toBeVisible();
});

test('a real region bears no such banner', async () => {
  openPage('/grid/ny');
  await screen.findByText(HEADLINE);
  expect(screen.queryByText(/Simulated region/)).toBeNull();
});

test('scores stand beside those of the rivals, and by lead time', async () => {
  openPage('/grid/ny');
  const table = await screen.findByRole('table', { name: 'Scores over all lead times' });
  expect(within(table).getByRole('row', { name: 'Watthour 1.41 246 −18 90.6 +70.8' })).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'By lead time' }));
  expect(screen.getByRole('table', { name: 'Mean absolute error by lead time' })).toBeVisible();
});

test('stale data is said with its age, a failing source with its problem', async () => {
  openPage('/grid/ny');
  expect(await screen.findByText('stale, 31 h old')).toBeVisible();
  expect(await screen.findByText(/open_meteo: answered 503/)).toBeVisible();
});

test('a forecast made without some data says what it lacked', async () => {
  openPage('/grid/ny', {
    '/api/v1/grid/ny/forecast': () => ({ ...makeForecast(), lacked: ['wind speed at Buffalo'], fallback: 'Seasonal naive: too little history.' }),
  });
  expect(await screen.findByText('wind speed at Buffalo')).toBeVisible();
  expect(screen.getByText('Seasonal naive: too little history.')).toBeVisible();
});

test('a problem is shown in the words of the API, with the remedy and a way back', async () => {
  openPage('/grid/ny?day=2024-02-02', {
    '/api/v1/grid/ny/forecast': ({ url }) =>
      url.includes('day=')
        ? problem(409, { title: 'Too little history', detail: 'ny has 3 days before 2024-02-02.', remedy: 'Run watthour backfill.' })
        : makeForecast(),
  });
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent('Too little history');
  expect(alert).toHaveTextContent('Run watthour backfill.');
  await userEvent.click(within(alert).getByRole('button', { name: 'Open the latest day' }));
  expect(await screen.findByText(HEADLINE)).toBeVisible();
});

test('without scores the card says what to do next', async () => {
  openPage('/grid/ny', { '/api/v1/grid/ny/scores': () => ({ ...makeScores(), rows: [] }) });
  expect(await screen.findByText(/Nothing to score in these days/)).toBeVisible();
});

test('a region without demand is not opened, the way to some is', async () => {
  openPage('/', { '/api/v1/status': () => ({ ...makeStatus(), regions: makeStatus().regions.map((region) => ({ ...region, last_time: null })) }) });
  expect(await screen.findByText('No demand of New York yet')).toBeVisible();
  expect(screen.getByRole('heading', { name: 'Connect real data' })).toBeVisible();
});

test('without any region the page offers to connect one', async () => {
  openPage('/', { '/api/v1/status': () => ({ ...makeStatus(), regions: [] }) });
  expect(await screen.findByText('No region yet')).toBeVisible();
  expect(screen.getByRole('heading', { name: 'Connect real data' })).toBeVisible();
});

test('a made-up day in the address is ignored', async () => {
  const requests = openPage('/grid/ny?day=soon');
  await screen.findByText(HEADLINE);
  await waitFor(() => expect(requests).toContain('GET /api/v1/grid/ny/forecast'));
});
