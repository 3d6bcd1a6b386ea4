/** Tables as CSV (RFC 4180), made in the browser from what is on screen. */

export type Cell = string | number | boolean | null | undefined;

function field(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  const written = String(cell);
  return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
}

/** Rows below their header; a gap is an empty field. */
export function toCsv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** A unit as the end of a column's name: `mwh`, `kw`, `eur_kwh`. */
export function unitSuffix(unit: string): string {
  return unit.toLowerCase().replaceAll('%', 'percent').replaceAll(/[^a-z0-9]+/g, '_');
}

/** Hands a text to the browser as a file. */
export function download(name: string, text: string, type = 'text/csv;charset=utf-8'): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}
