// @vitest-environment jsdom
import { screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { makeStatus } from '@/test/fixtures';
import { openPage } from '@/test/page';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

test('a store that is full is said on the page, which still shows the forecast', async () => {
  const store = { state: 'full', problem: 'No space is left for new readings and forecasts.', remedy: 'Free some space.' };
  openPage('/grid/ny', { '/api/v1/status': () => ({ ...makeStatus(), store }) });
  expect(await screen.findByText('Nothing new can be stored: no space is left')).toBeVisible();
  expect(screen.getByText(/Free some space/)).toBeVisible();
  expect(await screen.findByRole('heading', { name: /New York/ })).toBeVisible();
});

test('what of the past is missing is listed by source', async () => {
  const hole = { start: '2024-11-20T12:00:00Z', end: '2025-02-22T00:00:00Z' };
  const fill = [{ source: 'eia:ny', share: 0.876, start: hole.start, end: '2026-11-21T12:00:00Z', holes: [hole], empty: [] }];
  openPage('/grid/ny', { '/api/v1/status': () => ({ ...makeStatus(), fill }) });
  expect(await screen.findByText(/eia · ny: 87% imported; missing 2024-11-20 to 2025-02-22/)).toBeInTheDocument();
});

test('where all is well nothing is said', async () => {
  openPage('/grid/ny');
  await screen.findByRole('heading', { name: /New York/ });
  expect(screen.queryByText(/Past data are being fetched/)).toBeNull();
});
