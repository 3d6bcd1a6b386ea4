// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import type { GridForecast, NewestOutlook } from '@/client';
import * as csv from '@/lib/csv';
import { makeForecast, makeHistory, makeScores, makeStatus } from '@/test/fixtures';
import { answersOf, openPage, problem } from '@/test/page';

/** A forecast whose newest issue says something of itself. */
function withNewest(words: Partial<NewestOutlook>): GridForecast {
  const forecast = makeForecast();
  if (!forecast.newest) throw new Error('a day to come has a newest forecast');
  return { ...forecast, newest: { ...forecast.newest, ...words } };
}

const HEADLINE = /^Sunday peaks at 19\.\d{2} GWh between 18:00 and 19:00; the 90 % interval of that hour is/;

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
  expect(screen.getByText('Gradient boosting, trained 1 November 2026')).toHaveAttribute('title', 'gradient_boosting-20261101T060000-ab12cd');
});

test('the table shows what the API said, interval by interval', async () => {
  openPage('/grid/ny');
  await userEvent.click(await screen.findByRole('radio', { name: 'Table' }));
  const table = screen.getByRole('table', { name: 'The day in numbers' });
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
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sat 21 Nov, 00:00–01:00/));
});

test('the file holds the hours of the day and those before', async () => {
  const download = vi.spyOn(csv, 'download').mockImplementation(() => {});
  openPage('/grid/ny');
  await userEvent.click(await screen.findByRole('button', { name: 'Download CSV' }));
  expect(download).toHaveBeenCalledWith('watthour-ny-2026-11-22.csv', expect.stringContaining('2026-11-22T05:00:00Z'));
});

test('the price of a region is one press away, scored as it was forecast before its auction', async () => {
  const forecast = makeForecast();
  const series = [...forecast.series, { id: 'grid.ny.price', channel: 'grid.ny.price', quantity: 'price' }];
  const priced = { ...forecast, series, region: { ...forecast.region, channel: 'grid.ny.price', unit: 'USD/MWh' } };
  const scores = makeScores();
  const rows = scores.rows.flatMap((row) => (row.lead_hours === 'all' ? [row, { ...row, lead_hours: 'auction' as const, n: 24 }] : []));
  const requests = openPage('/grid/ny', {
    '/api/v1/grid/ny/forecast': () => ({ ...forecast, series }),
    '/api/v1/grid/grid.ny.price/forecast': () => priced,
    '/api/v1/grid/grid.ny.price/scores': () => ({ ...scores, rows }),
    '/api/v1/grid/grid.ny.price/history': () => makeHistory(),
  });
  await userEvent.click(await screen.findByRole('radio', { name: 'Price' }));
  expect(await screen.findByRole('radio', { name: 'Price', checked: true })).toBeVisible();
  expect(window.location.pathname).toBe('/grid/grid.ny.price');
  expect(requests).toContain('GET /api/v1/grid/grid.ny.price/forecast');
  expect(await screen.findByText(/24 hours, as forecast before the auction closed/)).toBeVisible();
  expect(screen.getByRole('heading', { level: 1 })).toHaveTextContent('New York');
});

test('the previous day opens as it was known then', async () => {
  const requests = openPage('/grid/ny');
  await userEvent.click(await screen.findByRole('button', { name: 'Previous day' }));
  expect(await screen.findByText(/^Saturday was expected to peak/)).toBeVisible();
  expect(window.location.search).toBe('?day=2026-11-21');
  expect(requests).toContain('GET /api/v1/grid/ny/forecast?day=2026-11-21');
  expect(screen.getByText('Reconstructed')).toBeVisible();
  expect(screen.getByText(/made afterwards, using only what was known at its time of issue/)).toBeVisible();
  expect(screen.getByText('231 MWh')).toBeVisible();
  expect(screen.getByText('(1.34 %)')).toBeVisible();
});

test('no day beyond the last can be opened', async () => {
  openPage('/grid/ny');
  expect(await screen.findByRole('button', { name: 'Next day' })).toBeDisabled();
});

test('a simulated region says so first and offers a real one', async () => {
  openPage('/', answersOf('simtown'));
  expect(await screen.findByText('Simulated: every number here is invented')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Connect real data' })).toHaveAttribute('href', '#connect');
  expect(await screen.findByRole('heading', { name: 'Connect real data' })).toBeVisible();
});

test('a real region bears no such banner', async () => {
  openPage('/grid/ny');
  await screen.findByText(HEADLINE);
  expect(screen.queryByText(/Simulated: /)).toBeNull();
});

test('scores stand beside those of the rivals, and by lead time', async () => {
  openPage('/grid/ny');
  const table = await screen.findByRole('table', { name: 'Scores over all lead times' });
  expect(within(table).getByRole('row', { name: 'Watthour 1.41 246 −18 90.6 +70.8' })).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'By lead time' }));
  const byLead = screen.getByRole('table', { name: 'Scores by lead time' });
  expect(within(byLead).getAllByRole('columnheader').map((head) => head.textContent.trim())).toContain('Inside band %');
  const [first] = within(byLead).getAllByRole('row', { name: /^Watthour/ });
  expect(within(byLead).getByText('1 to 6 hours ahead')).toBeVisible();
  expect(first).toHaveAccessibleName('Watthour 1.28 224 −18 89.6 +70.8');
});

test('the file of the scores names their unit', async () => {
  const download = vi.spyOn(csv, 'download').mockImplementation(() => {});
  openPage('/grid/be', answersOf('be'));
  await userEvent.click(await screen.findByRole('button', { name: 'Download scores as CSV' }));
  expect(download.mock.calls[0]?.[1].split('\r\n')[0]).toBe(
    'model,lead_hours,n,mae_mw,mape_percent,bias_mw,rmse_mw,coverage90_percent,skill_percent,winkler90_mw',
  );
});

test('stale data is said with its age, a failing source with its problem', async () => {
  openPage('/grid/ny');
  expect(await screen.findByText('stale, 31 h old')).toBeVisible();
  expect(await screen.findByText(/open_meteo: answered 503/)).toBeVisible();
});

test('a forecast made without some data says what was missing', async () => {
  openPage('/grid/ny', {
    '/api/v1/grid/ny/forecast': () => ({ ...makeForecast(), newest: null, missing_inputs: ['wind speed at Buffalo'], fallback: 'Seasonal naive: too little history.' }),
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
  expect(await screen.findByText(/Nothing to score on these days/)).toBeVisible();
});

test('a region without readings is not opened, the way to some is', async () => {
  openPage('/', { '/api/v1/status': () => ({ ...makeStatus(), regions: makeStatus().regions.map((region) => ({ ...region, last_time: null })) }) });
  expect(await screen.findByText('No readings of New York yet')).toBeVisible();
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

/** The text of each cell; much quicker than asking for a hundred rows by their role. */
function rowsOf(table: HTMLElement): string[][] {
  return [...table.querySelectorAll('tr')].map((row) => [...row.cells].map(({ textContent }) => textContent));
}

const shownStale = (channel: string) => ({
  ...makeForecast({ site: 'be' }),
  freshness: makeForecast({ site: 'be' }).freshness.map((row, index) => ({ ...row, stale: index === 0, channel: index === 0 ? channel : row.channel })),
});

test('real data is offered where the readings of the channel itself are stale', async () => {
  openPage('/grid/be', { ...answersOf('be'), '/api/v1/grid/be/forecast': () => shownStale('grid.be.demand') });
  expect(await screen.findByRole('heading', { name: 'Connect real data' })).toBeVisible();
});

test('a stale rival or weather alone asks for no other data', async () => {
  openPage('/grid/be', { ...answersOf('be'), '/api/v1/grid/be/forecast': () => ({ ...shownStale('weather.be'), freshness: shownStale('weather.be').freshness.toReversed() }) });
  await screen.findByText(/^Sunday peaks/);
  expect(screen.queryByRole('heading', { name: 'Connect real data' })).toBeNull();
});

test('a site of quarter hours in MW has 96 of them, and its file says MW', async () => {
  const download = vi.spyOn(csv, 'download').mockImplementation(() => {});
  openPage('/grid/be', answersOf('be'));
  expect(await screen.findByText(/^Sunday peaks at 9,\d{3} MW between 18:00 and 18:15; the 90 % interval of that 15 minutes/)).toBeVisible();
  expect(screen.getByText('Mean power of each 15 minutes in MW')).toBeVisible();
  await userEvent.click(screen.getByRole('radio', { name: 'Table' }));
  const [head, ...rows] = rowsOf(screen.getByRole('table', { name: 'The day in numbers' }));
  expect(head).toEqual(['Time CET', 'Forecast MW', '90 % interval MW', 'Operator MW', 'Actual MW', 'Last week MW', 'Temperature °C']);
  expect(rows).toHaveLength(96);
  expect(rows[68]?.slice(0, 2)).toEqual(['17:00–17:15', makeForecast({ site: 'be' }).points[68]?.value?.toLocaleString('en-US')]);
  expect(screen.getByRole('button', { name: 'The 192 intervals known before' })).toBeVisible();
  expect(await screen.findByText(/2,880 intervals$/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Download CSV' }));
  expect(download.mock.calls[0]?.[1]).toContain('forecast_mw,lower90_mw,upper90_mw,operator_mw,actual_mw,actual_quality,seasonal_naive_mw,day_ahead_mw,temperature_degc');
});

test('arrow keys walk by quarter hours, pages by six hours', async () => {
  openPage('/grid/be', answersOf('be'));
  const chart = await screen.findByRole('slider', { name: 'Chart of the day; arrow keys choose an interval' });
  chart.focus();
  await userEvent.keyboard('{End}{PageDown}{ArrowLeft}');
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, 17:30–17:45, Forecast [\d,]+\u00A0MW,/));
  await userEvent.keyboard('{PageUp}');
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, 23:30–23:45/));
});

test('a home has its name alone, no operator, and three decimals of a kW', async () => {
  openPage('/grid/home', answersOf('home'));
  expect(await screen.findByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
  expect(await screen.findByText(/^Sunday peaks at 0\.\d{3} kW between 18:00 and 18:30/)).toBeVisible();
  const chart = screen.getByRole('slider', { name: /Chart of the day/ });
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, 18:00–18:30, Forecast 0\.\d{3}\u00A0kW, Last week 0\.\d{3}\u00A0kW$/));
  expect(screen.queryByText('Operator')).toBeNull();
  await userEvent.click(screen.getByRole('radio', { name: 'Table' }));
  const [head, ...rows] = rowsOf(screen.getByRole('table', { name: 'The day in numbers' }));
  expect(head).toEqual(['Time GMT', 'Forecast kW', '90 % interval kW', 'Actual kW', 'Last week kW']);
  expect(rows[36]?.join(' ')).toMatch(/^18:00–18:30 0\.\d{3} 0\.\d{3}–0\.\d{3} – 0\.\d{3}$/);
});

test('where every actual was zero there is no percentage', async () => {
  openPage('/grid/home', {
    ...answersOf('home'),
    '/api/v1/grid/home/forecast': () => {
      const forecast = makeForecast({ site: 'home', day: '2026-11-20', isPast: true });
      return { ...forecast, scores_of_day: { rows: [{ model: 'ours', label: 'Watthour', mae: 0.0123, mape_percent: null }] } };
    },
  });
  expect(await screen.findByText('0.012 kW')).toBeVisible();
  expect(screen.queryByText(/NaN|null/)).toBeNull();
});

test('a site of days is shown day by day', async () => {
  openPage('/grid/works', answersOf('works'));
  const chart = await screen.findByRole('slider', { name: 'Chart of the day; arrow keys choose a day' });
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Sun 22 Nov, Forecast \d+\.\d\u00A0MWh/));
  expect(screen.getByRole('heading', { name: 'Day by day' })).toBeVisible();
  await userEvent.click(screen.getByRole('radio', { name: 'Table' }));
  const table = screen.getByRole('table', { name: 'The day in numbers' });
  expect(within(table).getByRole('row', { name: /^Sun 22 Nov \d/ })).toBeVisible();
});

test('buttons and keys zoom, and a chosen hour comes into sight', async () => {
  openPage('/grid/ny');
  const chart = await screen.findByRole('slider', { name: /Chart of the day/ });
  const texts = (): string[] => [...chart.querySelectorAll('svg text')].map((text) => text.textContent);
  expect(screen.getAllByRole('button', { name: 'Zoom out' })[0]).toHaveAttribute('aria-disabled', 'true');
  expect(texts()).toContain('Sat 21 Nov');
  const zoom = screen.getAllByRole('button', { name: 'Zoom in' })[0];
  if (!zoom) throw new Error('no button to zoom');
  for (let times = 0; times < 4; times += 1) await userEvent.click(zoom); // oxlint-disable-line no-await-in-loop -- one after the other
  expect(texts()).not.toContain('Sat 21 Nov');
  chart.focus();
  await userEvent.keyboard('{Home}');
  expect(texts()).toContain('Sat 21 Nov');
  await userEvent.keyboard('0');
  expect(screen.getAllByRole('button', { name: 'Zoom out' })[0]).toHaveAttribute('aria-disabled', 'true');
});

test('a week shows seven days with what was said of them, as a table too', async () => {
  const requests = openPage('/grid/ny');
  await userEvent.click(await screen.findByRole('radio', { name: 'Week' }));
  expect(await screen.findByRole('slider', { name: 'Chart of the week; arrow keys choose an hour' })).toBeVisible();
  expect(requests).toContain('GET /api/v1/grid/ny/week?end=2026-11-22');
  await userEvent.click(screen.getByRole('radio', { name: 'Table' }));
  const rows = rowsOf(screen.getByRole('table', { name: 'The week in numbers' }));
  expect(rows).toHaveLength(1 + 7 * 24);
  expect(rows[1]?.[0]).toBe('Mon 16 Nov, 00:00–01:00');
});

test('errors stand day by day beside the rivals, as picture, table and file', async () => {
  const download = vi.spyOn(csv, 'download').mockImplementation(() => {});
  const requests = openPage('/grid/ny');
  const chart = await screen.findByRole('slider', { name: 'Chart of the errors; arrow keys choose a day' });
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Friday 20 November 2026, Watthour \d\.\d{2}\u00A0%, Operator's forecast/));
  await userEvent.click(screen.getByRole('radio', { name: 'Table of errors' }));
  const table = screen.getByRole('table', { name: 'Errors of each day' });
  expect(within(table).getAllByRole('row')).toHaveLength(31);
  expect(within(table).getByRole('row', { name: '2026-11-21 – – –' })).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Download errors as CSV' }));
  expect(download.mock.calls[0]?.[1]).toMatch(/^day,model,mae_mwh,mape_percent\r\n2026-10-23,ours,/);
  await userEvent.click(screen.getByRole('radio', { name: '90 days of errors' }));
  await waitFor(() => expect(requests).toContain('GET /api/v1/grid/ny/history?days=90'));
});

test('the reliability of the bands is said in a sentence and shown level by level', async () => {
  openPage('/grid/ny');
  expect(await screen.findByText('86.4 % of 696 hours lay inside the 90 % band.')).toBeVisible();
  const chart = screen.getByRole('slider', { name: /Chart of the levels/ });
  expect(chart).toHaveAttribute('aria-valuetext', 'Level 95\u00A0%: 93.2\u00A0% of the readings at or below it');
  await userEvent.click(screen.getByRole('radio', { name: 'Table of levels' }));
  expect(within(screen.getByRole('table', { name: 'Levels and readings' })).getByRole('row', { name: '5 6.8' })).toBeVisible();
});

test('without days to judge the cards say when there will be some', async () => {
  const history = makeHistory();
  openPage('/grid/ny', {
    '/api/v1/grid/ny/history': () => ({ ...history, days: history.days.map(({ day }) => ({ day, rows: [] })), models: [], reliability: { n: 0, rows: [] } }),
  });
  expect(await screen.findByText(/No errors yet/)).toBeVisible();
  expect(screen.getByText(/Nothing to show yet/)).toBeVisible();
});

test('a simulated site says so once in its name', async () => {
  const status = makeStatus({ site: 'simtown' });
  const region = { ...status.regions[0], name: 'Simtown (simulated)', operator: 'Simtown Power (simulated)' };
  openPage('/grid/simtown', { ...answersOf('simtown'), '/api/v1/status': () => ({ ...status, regions: [region, ...makeStatus().regions] }) });
  expect(await screen.findByRole('option', { name: 'Simtown · Simtown Power (simulated)' })).toBeVisible();
});

test('the data card names the sources of the site that is shown, and no others', async () => {
  const status = makeStatus();
  const other = makeStatus({ site: 'be' }).sources.map((source) => ({ ...source, label: `${source.label} of Belgium` }));
  openPage('/grid/ny', { '/api/v1/status': () => ({ ...status, sources: [...status.sources, ...other] }) });
  const list = await screen.findByRole('list', { name: 'Sources' });
  expect(within(list).getAllByRole('listitem')).toHaveLength(2);
  expect(within(list).getByText('EIA, demand')).toBeVisible();
  expect(within(list).queryByText(/eia:ny|Belgium/)).toBeNull();
});

test('values that came late by an hour are told with their cure, for this site alone', async () => {
  const status = makeStatus();
  const late = {
    region: 'ny', channel: 'grid.ny.demand', beside: 'eia_day_ahead', fault: 'shift', side: 'readings', first_day: '2026-11-10', last_day: null, size: 1, sure: 0.8,
    words: 'The readings come an hour late since 10 November.', cure: 'Ask the source.',
  } as const;
  openPage('/grid/ny', { '/api/v1/status': () => ({ ...status, arrivals: [late, { ...late, region: 'be', words: 'Belgium.' }] }) });
  const list = await screen.findByRole('list', { name: 'Odd values' });
  expect(within(list).getAllByRole('listitem')).toHaveLength(1);
  expect(within(list).getByText(/an hour late/)).toBeVisible();
  expect(within(list).getByText('Ask the source.')).toBeVisible();
});

test('an archive is told with its span and does not alarm', async () => {
  const forecast = makeForecast();
  const [readings] = forecast.freshness;
  const archived = { ...readings, age_hours: 25_000, stale: false, archive: true, last_time: '2023-12-31T22:00:00Z' };
  openPage('/grid/ny', { '/api/v1/grid/ny/forecast': () => ({ ...forecast, freshness: [archived] }) });
  expect(await screen.findByText('archive')).toBeVisible();
  expect(screen.getByText('Sat 1 Jan 2022, 00:00 EST to Sun 31 Dec 2023, 17:00 EST')).toBeVisible();
  expect(screen.queryByText(/stale/)).toBeNull();
});

test('a command in the words of the API is shown as a command', async () => {
  openPage('/grid/ny', { '/api/v1/grid/ny/forecast': () => withNewest({ fallback: 'No model yet: run `watthour train`.' }) });
  expect((await screen.findByText('watthour train')).tagName).toBe('CODE');
  expect(screen.queryByText(/`/)).toBeNull();
});

test('on the days that run, the newest forecast says when it was made and what it lacked', async () => {
  const newest = { issued_at: '2026-11-21T14:00:00Z', known_until: '2026-11-21T12:00:00Z', missing_inputs: ['the sky over Albany'] };
  openPage('/grid/ny', { '/api/v1/grid/ny/forecast': () => ({ ...withNewest(newest), reconstructed: true }) });
  expect(await screen.findByText('Sat 21 Nov, 09:00 EST')).toBeVisible();
  expect(screen.getByText('Sat 21 Nov, 07:00 EST')).toBeVisible();
  expect(screen.getByText('the sky over Albany')).toBeVisible();
  expect(screen.queryByText('Reconstructed')).toBeNull();
});

test('a combined forecast says what it was made of', async () => {
  const made_of = [
    { model: 'day_process', label: 'Day process', share: 0.703 },
    { model: 'operator_debiased', label: "Operator's forecast, de-biased", share: 0.297 },
  ];
  openPage('/grid/ny', { '/api/v1/grid/ny/forecast': () => withNewest({ made_of }) });
  expect(await screen.findByText("Made of 70 % day process and 30 % operator's forecast, de-biased.")).toBeVisible();
});
