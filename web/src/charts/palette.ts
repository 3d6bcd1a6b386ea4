/** The colours of styles/tokens.css as a chart needs them: resolved for the theme now shown. */

const TOKENS = {
  surface: '--surface',
  line: '--line',
  ink: '--ink',
  muted: '--muted',
  accent: '--accent',
  warn: '--warn',
  load: '--load',
  loadForecast: '--load-forecast',
  loadBand: '--load-band',
  rival: '--rival',
  naive: '--naive',
} as const;

export type Palette = Record<keyof typeof TOKENS, string>;

export function readPalette(element: Element = document.documentElement): Palette {
  const style = getComputedStyle(element);
  const entries = Object.entries(TOKENS).map(([name, token]) => [name, style.getPropertyValue(token).trim()]);
  return Object.fromEntries(entries) as Palette;
}
