const MAX_LENGTH = 200;

/** A text as `requestedBy` takes it: printable ASCII on one line, cut to 200 characters. */
export function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, '?')
    .trim()
    .slice(0, MAX_LENGTH);
}
