import type { Finding, Review } from '../../../review/finding';
import {
  measuredBasis,
  measuredRevisions,
  measuredSummary,
  measuredTables,
  measuredText,
} from '../../../review/reports/measured';
import { acceptance, explanationOf, outcomeOf, scopeOf } from '../../../review/reports/phrases';
import { plainLines } from '../../../text/plain';
import { cut, displayWidth } from '../../screen/display-width';
import { revisionLine } from '../../screen/revision-line';
import { plain, type Terminal } from '../../screen/terminal';
import { wrap } from '../../screen/wrap';

/** Longer lines are hard to read, even on a wide terminal. */
const WIDEST = 110;
/** The maximum number of lines of a statement or its safe form; the other reports have all of them. */
const MOST_LINES = 24;
const FACT = '  statement  '.length;

/** Shows each finding with its safe form, then what was measured, acknowledged findings and revisions that were not replayed, then the result. */
export function showReview(terminal: Terminal, review: Review): void {
  const names = messagesOf(review);
  for (const finding of review.findings) if (finding.acknowledged === undefined) showFinding(terminal, finding, names);
  showMeasured(terminal, review);
  showAcknowledged(terminal, review);
  showNotReplayed(terminal, review);
  showSummary(terminal, review);
}

function messagesOf({ graph }: Review): ReadonlyMap<string, string> {
  return new Map(graph.revisions.map(({ revision, message }) => [revision, message]));
}

const COLORS = { error: 'red', warning: 'yellow', note: 'cyan' } as const;

function showFinding(terminal: Terminal, finding: Finding, names: ReadonlyMap<string, string>): void {
  const { severity, rule, revision, file, line, message, direction, seen, statement, instead } = finding;
  const color = COLORS[severity];
  terminal.line(`${terminal.paint(color, severity.padEnd('warning'.length))}  ${terminal.paint('bold', rule)}`);
  if (revision !== undefined) {
    const id = plain(revision);
    const room = terminal.width - `  ${id}  `.length;
    terminal.line(`  ${terminal.paint('bold', id)}  ${cut(plain(names.get(revision) ?? ''), Math.max(8, room))}`);
  }
  for (const text of wrap(plain(message), Math.min(terminal.width, WIDEST) - 2)) terminal.line(`  ${text}`);
  const place = [
    `${plain(file)}:${line}`,
    ...(direction ? [direction] : []),
    ...(seen === 'source' ? ['read from the source'] : []),
  ];
  fact(terminal, 'where', place.join(', '));
  if (statement !== undefined) showCode(terminal, 'statement', statement);
  if (instead !== undefined) showCode(terminal, 'instead', instead, 'green');
  const [where, what] = acceptance(finding);
  fact(terminal, 'to accept', `${where}:`);
  terminal.line(`    ${what}`);
  fact(terminal, 'more', explanationOf(rule));
  terminal.line();
}

/** Puts the names in a column if two columns fit. Never breaks text that people copy, such as a path. */
function fact(terminal: Terminal, name: string, value: string): void {
  if (FACT + displayWidth(value) <= terminal.width) {
    terminal.fact(name, value);
    return;
  }
  terminal.line(`  ${terminal.paint('dim', name)}`);
  for (const text of wrap(value, terminal.width - 4)) terminal.line(`    ${text}`);
}

function showCode(terminal: Terminal, name: string, code: string, color?: 'green'): void {
  const lines = plainLines(code);
  const shown = lines.slice(0, MOST_LINES);
  terminal.line(`  ${terminal.paint('dim', name)}`);
  for (const line of shown) {
    const text = name === 'statement' ? cut(line, Math.max(20, Math.min(terminal.width, 4 * WIDEST) - 4)) : line;
    terminal.line(`    ${color ? terminal.paint(color, text) : text}`);
  }
  if (lines.length > shown.length) terminal.line(terminal.paint('dim', `    and ${lines.length - shown.length} more lines`));
}

function showMeasured(terminal: Terminal, review: Review): void {
  const measured = measuredRevisions(review);
  if (measured.length === 0) return;
  for (const text of wrap(measuredBasis(review), terminal.width)) terminal.line(text);
  for (const revision of measured) {
    revisionLine(terminal, terminal.paint('cyan', '•'), revision);
    const lines = [
      measuredSummary(revision.measured),
      ...measuredTables(revision.measured).map((table) => `${table.table}: ${measuredText(table)}`),
    ];
    for (const text of lines.flatMap((line) => wrap(plain(line), Math.min(terminal.width, WIDEST) - 6))) {
      terminal.line(`      ${text}`);
    }
  }
  terminal.line();
}

function showAcknowledged(terminal: Terminal, { findings }: Review): void {
  const acknowledged = findings.filter((finding) => finding.acknowledged !== undefined);
  if (acknowledged.length === 0) return;
  terminal.line('acknowledged');
  for (const { rule, revision, file, acknowledged: reason = '' } of acknowledged) {
    const line = `  • ${rule}  ${plain(revision ?? file)}  ${plain(reason)}`;
    terminal.line(terminal.paint('dim', cut(line, terminal.width)));
  }
  terminal.line();
}

function showNotReplayed(terminal: Terminal, { revisions }: Review): void {
  const left = revisions.filter(({ notReplayed }) => notReplayed !== undefined);
  if (left.length === 0) return;
  for (const text of wrap('not replayed, judged from source and SQL alone', terminal.width)) terminal.line(text);
  for (const [at, revision] of left.entries()) {
    revisionLine(terminal, terminal.paint('yellow', '•'), revision);
    // If env.py fails, all revisions have the same reason.
    if (revision.notReplayed === left[at + 1]?.notReplayed) continue;
    const reason = wrap(plain(revision.notReplayed ?? ''), Math.min(terminal.width, WIDEST) - 6);
    for (const text of reason) terminal.line(`      ${text}`);
  }
  terminal.line();
}

function showSummary(terminal: Terminal, review: Review): void {
  const { errors, warnings } = review.summary;
  const passed = errors + warnings === 0 ? terminal.paint('green', '✓') : terminal.paint('yellow', '!');
  const sign = review.failed ? terminal.paint('red', '✗') : passed;
  if (review.notChecked) fact(terminal, 'next', plain(review.notChecked.next));
  for (const [index, text] of wrap(`${plain(outcomeOf(review))}: ${scopeOf(review)}`, terminal.width - 2).entries()) {
    terminal.line(`${index === 0 ? sign : ' '} ${text}`);
  }
}
