/** The homes that are here, and which of them this browser looks at. */
import { queryOptions } from '@tanstack/react-query';

import { type HomeEntry, type Status, homes, oneHome } from '@/client';
import { unwrap } from '@/lib/problem';

const KEY = 'watthour.home';

export const homesQuery = queryOptions({
  queryKey: ['homes'],
  queryFn: ({ signal }) => unwrap(homes({ signal })),
});

/** One home with its zones, devices and channels. */
export const homeQuery = (home: string) =>
  queryOptions({
    queryKey: ['homes', home],
    queryFn: ({ signal }) => unwrap(oneHome({ path: { home }, signal })),
  });

/** Whether anything was ever measured in a home. */
export function hasReadings({ channels }: HomeEntry): boolean {
  return channels.some(({ first_time }) => first_time !== null);
}

/** The home looked at last, else the first with readings (real ones come before simulated ones), else any. */
export function homeToOpen(found: readonly HomeEntry[], last: string | null = rememberedHome()): HomeEntry | undefined {
  const measured = found.filter(hasReadings);
  return found.find(({ id }) => id === last) ?? measured.find(({ simulated }) => !simulated) ?? measured[0] ?? found[0];
}

/** The site that is shown first: a home with readings, else a region with readings. */
export function siteToOpen(sites: Status['regions'], last: string | null = rememberedHome()): Status['regions'][number] | undefined {
  const measured = sites.filter(({ last_time }) => last_time !== null);
  const here = measured.filter(({ kind }) => kind === 'home');
  return here.find(({ id }) => id === last) ?? here[0] ?? measured[0];
}

export function rememberedHome(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden; the first home is then shown
  }
}

export function rememberHome(home: string): void {
  try {
    localStorage.setItem(KEY, home);
  } catch {
    // the choice then lasts as long as the address
  }
}
