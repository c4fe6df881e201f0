const MAX_LENGTH = 200;

/** Converts a text to a valid `requestedBy`: one line of printable ASCII, at most 200 characters. */
export function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, '?')
    .trim()
    .slice(0, MAX_LENGTH);
}
