import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';

const KEY = 'watthour.theme';
const listeners = new Set<() => void>();

function current(): Theme {
  return document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light';
}

function show(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  for (const listener of listeners) listener();
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden; the system's preference then stands
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const preference = matchMedia('(prefers-color-scheme: dark)');
  const follow = (): void => {
    if (remembered() === null) show(preference.matches ? 'dark' : 'light');
  };
  preference.addEventListener('change', follow);
  return () => {
    listeners.delete(listener);
    preference.removeEventListener('change', follow);
  };
}

/** Light or dark: the system's wish until the person chooses. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(subscribe, current);
  const choose = (chosen: Theme): void => {
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // the choice then lasts as long as the page
    }
    show(chosen);
  };
  return [theme, choose];
}

/** The theme now shown, for what must be drawn anew when it changes. */
export function useThemeName(): Theme {
  return useSyncExternalStore(subscribe, current);
}
