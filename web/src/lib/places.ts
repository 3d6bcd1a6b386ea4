/** Clocks and places as a browser knows them. */

/** The browser's own clock first, then all others by name. */
export function timeZones(): string[] {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...new Set([own, ...Intl.supportedValuesOf('timeZone'), 'UTC'])];
}

/** A country in the words of the page; its code where the browser has no name for it. */
export function countryName(code: string): string {
  return new Intl.DisplayNames(['en'], { type: 'region' }).of(code) ?? code;
}

/** A coordinate as typed: null where nothing is, undefined where it is no number. */
export function coordinate(text: string): number | null | undefined {
  const written = text.trim().replace(',', '.').replace('−', '-');
  if (written === '') return null;
  return Number.isFinite(Number(written)) ? Number(written) : undefined;
}

const DIGITS = 4; // of a degree: about ten metres

/** Where this device is, after it has asked its owner. */
export function ownPlace(): Promise<{ latitude: string; longitude: string }> {
  return new Promise((resolve, reject) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ latitude: coords.latitude.toFixed(DIGITS), longitude: coords.longitude.toFixed(DIGITS) }),
      () => reject(new Error('This device does not tell where it is. Type the coordinates instead.')),
    );
  });
}
