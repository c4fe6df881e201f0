/** Markup. Nothing else is put into a page as it is. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | undefined | readonly Part[];

/** Markup in which every value is text, unless it is markup itself. */
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
  return text.replace(/(?![\n\t])\p{Cc}/gu, '').replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
