type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the locale can show only ASCII. Without a locale, as in many containers, UTF-8 is assumed. */
export function needsAscii({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  // In POSIX's order, https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html#tag_08_02
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale !== undefined && locale !== '' && !/utf-?8/i.test(locale);
}

/** ASCII replacements for the characters that the commands use. */
const REPLACEMENTS: Readonly<Record<string, string>> = {
  '✓': '+',
  '✗': 'x',
  '•': '*',
  '●': '*',
  '○': 'o',
  '→': '->',
  '↓': 'v',
  '…': '~',
  '█': '#',
  '░': '.',
  '│': '|',
  '─': '-',
  '’': "'",
};

/** A text for a terminal without Unicode. The columns stay aligned, except for arrows. */
export function toAscii(text: string): string {
  return text.replace(/\P{ASCII}/gu, (character) => REPLACEMENTS[character] ?? (isLine(character) ? '+' : '?'));
}

/** Whether a character is a line, corner or crossing of the graph. */
function isLine(character: string): boolean {
  return character >= '\u2500' && character <= '\u257f';
}
