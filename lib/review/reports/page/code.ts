import { html, type Markup } from './markup';

/** The maximum characters of code: a statement can be as long as a file, and the JSON has all of it. */
const MAX_CODE = 6_000;

/** The deepest indentation that a wrapped line keeps, in characters. */
const MAX_INDENT = 40;

/** CSS rules for each depth of indentation, in addition to page.css. */
export const INDENTATIONS = Array.from({ length: MAX_INDENT + 1 }, (_, depth) => `.i${depth}{--indent:${depth}ch}`).join('');

/** Code with a caption, which the page's script gives a button that copies it. */
export function codeFigure(title: string, code: string): Markup {
  const whole = code.length <= MAX_CODE;
  return html`<figure${whole ? html` data-copy` : ''}><figcaption>${title}</figcaption>${codeBlock(code)}</figure>`;
}

/** Code whose wrapped lines keep their indentation. Its text is the code as it is. */
export function codeBlock(code: string): Markup {
  return lines(shortened(code), () => '');
}

/** A unified diff: added and removed lines stand out. */
export function diffFigure(title: string, diff: string): Markup {
  const kind = (line: string): string => {
    if (/^(\+\+\+|---|@@) ?/.test(line)) return ' lines';
    return line.startsWith('+') ? ' added' : line.startsWith('-') ? ' removed' : '';
  };
  return html`<figure class="diff" data-copy><figcaption>${title}</figcaption>${lines(diff.trimEnd(), kind)}</figure>`;
}

function lines(code: string, kind: (line: string) => string): Markup {
  const marked = code.split('\n').map((line, index) => {
    const depth = Math.min(/^[+-]?\s*/.exec(line)?.[0].length ?? 0, MAX_INDENT);
    return html`${index > 0 ? '\n' : ''}<span class="i${depth}${kind(line)}">${line}</span>`;
  });
  return html`<pre tabindex="0"><code>${marked}</code></pre>`;
}

function shortened(code: string): string {
  return code.length <= MAX_CODE ? code : `${code.slice(0, MAX_CODE)}… (${code.length} characters)`;
}
