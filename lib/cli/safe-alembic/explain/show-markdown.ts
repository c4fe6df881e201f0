import type { Terminal } from '../../screen/terminal';
import { wrap } from '../../screen/wrap';

/** Longer lines are hard to read, even on a wide terminal. */
const WIDEST = 100;

/** Shows Markdown with paragraphs, lists, code blocks, bold text and links. */
export function showMarkdown(terminal: Terminal, markdown: string): void {
  const width = Math.min(terminal.width, WIDEST);
  let paragraph: string[] = [];
  const endParagraph = () => {
    if (paragraph.length > 0) for (const line of wrap(inline(terminal, paragraph.join(' ')), width)) terminal.line(line);
    paragraph = [];
  };
  let inCode = false;
  for (const line of markdown.trimEnd().split('\n')) {
    if (line.startsWith('```')) {
      inCode = !inCode;
    } else if (inCode) {
      terminal.line(line && `    ${terminal.paint('green', line)}`);
    } else if (line === '') {
      endParagraph();
      terminal.line();
    } else {
      if (/^(- |\|)/.test(line)) endParagraph();
      paragraph.push(line.trim());
    }
  }
  endParagraph();
}

function inline(terminal: Terminal, text: string): string {
  return text
    .replace(/\[([^\]]*)\]\(([^)]*)\)/g, '$1 ($2)')
    .replace(/\*\*([^*]+)\*\*/g, (_, bold: string) => terminal.paint('bold', bold));
}
