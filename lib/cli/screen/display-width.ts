const ASCII = /^[\x20-\x7e]*$/;

/** The number of columns of a text without escape sequences. */
export function displayWidth(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth()(text);
}

/** Cuts a text to a number of columns, with `…` at the end. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let [kept, used] = ['', 0];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += displayWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}

/** Loaded for the first text that is not ASCII: loading it takes several milliseconds, and most runs do not need it. */
function stringWidth(): (text: string) => number {
  return require('string-width').default;
}
