/** A number of bytes, such as `1.2 GB`, with a thousand bytes in a kB. */
export function bytesText(bytes: number): string {
  return scaled(bytes, ['bytes', 'kB', 'MB', 'GB', 'TB']);
}

/** A number of rows, such as `10 million`, as estimates are written. */
export function rowsText(rows: number): string {
  if (rows < 1_000) return `${rows}`;
  return scaled(rows, ['', 'thousand', 'million', 'billion', 'trillion']);
}

/** A measured time, such as `350 ms`, `4.1 s`, `12 min`. */
export function timeTaken(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  return milliseconds < 600_000 ? `${(milliseconds / 1_000).toFixed(1)} s` : `${Math.round(milliseconds / 60_000)} min`;
}

function scaled(value: number, units: readonly string[]): string {
  const power = Math.min(Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)), units.length - 1);
  return `${Number((value / 1_000 ** power).toPrecision(power === 0 ? 3 : 2))} ${units[power]}`;
}
