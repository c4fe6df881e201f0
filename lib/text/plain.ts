/** Text that comes from elsewhere, on one line and without what could drive a terminal. */
export function plain(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** Code and SQL with their lines, without what could drive a terminal. */
export function plainLines(text: string): string[] {
  const lines = text.trimEnd().split(/\r\n|\r|\n/);
  return lines.map((line) => line.replaceAll('\t', '    ').replace(/\p{Cc}/gu, ''));
}
