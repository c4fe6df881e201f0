/*
 * Control characters move the cursor; those for the direction of text make it read differently from what it is,
 * https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
const CONTROL = /[\p{Cc}\p{Bidi_Control}]/gu;

/** Untrusted text, on one line and without control characters. */
export function plain(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
}

/** Code and SQL, line by line and without control characters. */
export function plainLines(text: string): string[] {
  const lines = text.trimEnd().split(/\r\n|\r|\n/);
  return lines.map((line) => line.replaceAll('\t', '    ').replace(CONTROL, ''));
}
