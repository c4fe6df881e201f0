/** Markup. Everything else is escaped before it goes into a page. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | undefined | readonly Part[];

/** Builds markup and escapes every value that is not markup. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...values.map(asText)));
}

function asText(value: Part): string {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(asText).join('');
  return value === undefined ? '' : escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text
    .replace(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
