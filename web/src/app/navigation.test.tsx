// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';

import { homeToOpen, siteToOpen } from '@/lib/homes';
import { makeStatus } from '@/test/fixtures';
import { answersOfHome, makeHome, makeHomeStatus } from '@/test/homes';
import { openPage } from '@/test/page';

import { NAVIGATION, isAt } from './navigation';

vi.mock('@/charts/Chart', () => ({ default: () => null }));

beforeEach(() => localStorage.clear());

test('the first page is the first home with readings', async () => {
  openPage('/', answersOfHome());
  expect(await screen.findByRole('heading', { name: 'Now' })).toBeVisible();
  expect(window.location.pathname).toBe('/home/flat');
});

test('Home and Devices stay with the home looked at last', async () => {
  const homes = [makeHome(), makeHome({ id: 'barn', name: 'Barn' })];
  localStorage.setItem('watthour.home', 'barn');
  openPage('/home', { ...answersOfHome(), '/api/v1/homes': () => ({ homes }) });
  await waitFor(() => expect(window.location.pathname).toBe('/home/barn'));
  await userEvent.click(screen.getByRole('link', { name: 'Devices' }));
  await waitFor(() => expect(window.location.pathname).toBe('/devices/barn'));
});

test('without a home the pages of homes say how to add one', async () => {
  openPage('/home', { '/api/v1/homes': () => ({ homes: [] }) });
  expect(await screen.findByText('No home yet')).toBeVisible();
  expect(screen.getByRole('link', { name: 'Add a home' })).toHaveAttribute('href', '/start');
});

test('the pages stand in one list, and the one that is open is told', async () => {
  openPage('/grid', answersOfHome());
  await screen.findByRole('heading', { name: /New York/ });
  const links = within(screen.getByRole('navigation', { name: 'Pages' })).getAllByRole('link');
  expect(links.map(({ textContent }) => textContent)).toEqual(['Home', 'Plan', 'Savings', 'Devices', 'Carbon', 'Sources', 'Grid', 'Sites']);
  expect(links.map((link) => link.getAttribute('aria-current'))).toEqual([null, null, null, null, null, null, 'page', null]);
});

test('pages without room stand behind one entry, which says where one is and shuts by the Escape key or a press elsewhere', async () => {
  openPage('/grid', answersOfHome());
  await screen.findByRole('heading', { name: /New York/ });
  const more = screen.getByRole('button', { name: 'More (Grid is open)' });
  expect(more).toHaveAttribute('aria-expanded', 'false');
  await userEvent.click(more);
  expect(more).toHaveAttribute('aria-expanded', 'true');
  await userEvent.tab();
  expect(screen.getByRole('link', { name: 'Sources' })).toHaveFocus();
  await userEvent.keyboard('{Escape}');
  expect(more).toHaveAttribute('aria-expanded', 'false');
  expect(more).toHaveFocus();
  await userEvent.click(more);
  await userEvent.click(document.body);
  expect(more).toHaveAttribute('aria-expanded', 'false');
  await userEvent.click(more);
  await userEvent.click(screen.getByRole('link', { name: 'Sources' }));
  await waitFor(() => expect(screen.getByRole('button', { name: 'More (Sources is open)' })).toHaveAttribute('aria-expanded', 'false'));
});

test('a region is chosen among regions, not among homes', async () => {
  openPage('/grid/ny', answersOfHome());
  await screen.findByRole('heading', { name: /New York/ });
  expect(screen.queryByRole('combobox', { name: 'Region' })).toBeNull(); // there is but one
});

const at = (path: string): string[] => NAVIGATION.filter((each) => isAt(path, each)).map(({ label }) => label);

test('an address belongs to one page', () => {
  expect(['/home/flat', '/plan', '/savings/flat', '/devices/flat/lamp', '/start', '/grid/ny', '/sites', '/homes', '/'].map(at)).toEqual([['Home'], ['Plan'], ['Savings'], ['Devices'], ['Sources'], ['Grid'], ['Sites'], [], []]);
});

test('a real home is opened before a simulated one, and one with readings before one without', () => {
  const simulated = makeHome({ id: 'sim', simulated: true });
  const empty = makeHome({ id: 'empty', measured: false });
  expect(homeToOpen([empty, simulated, makeHome()], null)?.id).toBe('flat');
  expect(homeToOpen([empty, simulated], null)?.id).toBe('sim');
  expect(homeToOpen([empty], null)?.id).toBe('empty');
  expect(homeToOpen([empty, simulated, makeHome()], 'empty')?.id).toBe('empty');
  expect(homeToOpen([makeHome()], 'gone')?.id).toBe('flat');
  expect(homeToOpen([], null)).toBeUndefined();
});

test('a region is shown first where no home has readings', () => {
  expect(siteToOpen(makeHomeStatus().regions, null)?.id).toBe('flat');
  expect(siteToOpen(makeStatus().regions, null)?.id).toBe('ny');
  const unmeasured = makeHomeStatus().regions.map((site) => ({ ...site, last_time: site.kind === 'home' ? null : site.last_time }));
  expect(siteToOpen(unmeasured, null)?.id).toBe('ny');
});

test('while the server is slow the navigation is there, and the place of the page is held', async () => {
  openPage('/grid', { '/api/v1/status': () => new Promise(() => undefined) });
  expect(await screen.findByRole('status', { name: 'Loading the page' })).toBeVisible();
  expect(screen.getByRole('navigation', { name: 'Pages' })).toBeVisible();
});
