import { stripVTControlCharacters } from 'node:util';

/** The demo's output: numbered steps with their times, on terminals of any width and in logs. */
export interface Screen {
  heading(text: string): void;
  /** Starts the next step and prints the time of the previous one. */
  step(title: string): void;
  /** A command as a person types it. */
  command(text: string): void;
  say(text: string): void;
  /** A promise that was checked. */
  good(text: string): void;
  bad(text: string): void;
  table(rows: readonly (readonly [string, string])[]): void;
  /** What is happening, with a clock, until the next line; nothing if lines can't be replaced. */
  status(text: string): void;
  /** Ends the last step and prints all times. */
  summary(): void;
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan';
const CODES: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
  cyan: [36, 39],
};
const INDENT = '  ';

export function createScreen(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv, steps: number): Screen {
  const interactive = Boolean(out.isTTY) && env.TERM !== 'dumb';
  const coloured = interactive && !env.NO_COLOR;
  const columns = (): number => Math.max(20, (interactive && out.columns) || 100);
  const paint = (style: Style, text: string): string =>
    coloured ? `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m` : text;
  const started = Date.now();
  const done: [string, string][] = [];
  let current: { label: string; from: number } | undefined;
  let clock: NodeJS.Timeout | undefined;

  const drawStatus = (text: string): void => {
    const time = current ? ` ${seconds(Date.now() - current.from)}` : '';
    out.write(`\r\u001b[2K${paint('dim', `${INDENT}${text}`.slice(0, columns() - time.length - 1) + time)}`);
  };
  const clearStatus = (): void => {
    if (!clock) return;
    clearInterval(clock);
    clock = undefined;
    out.write('\r\u001b[2K');
  };
  const print = (text: string, style?: Style, hanging = ''): void => {
    clearStatus();
    const given = stripVTControlCharacters(text).split('\n');
    for (const line of given.flatMap((each) => wrap(each, columns() - INDENT.length, hanging)))
      out.write(`${INDENT}${style ? paint(style, line) : line}\n`);
  };
  const table: Screen['table'] = (rows) => {
    const width = Math.min(Math.max(...rows.map(([name]) => name.length)), Math.floor(columns() / 2));
    for (const [name, value] of rows) print(`${name.padEnd(width)}  ${value}`, undefined, ' '.repeat(width + 2));
  };

  const endStep = (): void => {
    if (!current) return;
    const time = seconds(Date.now() - current.from);
    print(time, 'dim');
    done.push([time, current.label]);
    current = undefined;
  };

  return {
    heading(text) {
      for (const line of wrap(text, columns(), '')) out.write(`${paint('bold', line)}\n`);
    },
    step(title) {
      endStep();
      current = { label: `${done.length + 1}/${steps} ${title}`, from: Date.now() };
      out.write('\n');
      for (const line of wrap(current.label, columns(), '    ')) out.write(`${paint('bold', line)}\n`);
    },
    command: (text) => print(`$ ${text}`, 'cyan', '    '),
    say: (text) => print(text),
    good: (text) => print(`✓ ${text}`, 'green', '  '),
    bad: (text) => print(`✗ ${text}`, 'red', '  '),
    table,
    status(text) {
      if (!interactive) return;
      clearStatus();
      clock = setInterval(drawStatus, 500, text).unref();
      drawStatus(text);
    },
    summary() {
      endStep();
      out.write('\n');
      table([...done, [seconds(Date.now() - started), 'in all']]);
    },
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Breaks a text at spaces; a word longer than a line stays whole, so that it can be copied. */
function wrap(text: string, width: number, hanging: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    if (line.trim() !== '' && `${line}${word}`.trimEnd().length > width) {
      lines.push(line.trimEnd());
      line = hanging;
    }
    line += word;
  }
  return [...lines, line.trimEnd()];
}
