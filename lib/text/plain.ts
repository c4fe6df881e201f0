/** Text from elsewhere, on one line and without control characters. */
export function plain(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** Code and SQL, line by line and without control characters. */
export function plainLines(text: string): string[] {
  const lines = text.trimEnd().split(/\r\n|\r|\n/);
  return lines.map((line) => line.replaceAll('\t', '    ').replace(/\p{Cc}/gu, ''));
}
