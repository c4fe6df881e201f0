import type { Finding, Fixes, Review } from '../../../review';
import { plainLines } from '../../../text/plain';
import { plain, type Terminal } from '../../screen/terminal';

/** Shows what was rewritten, each finding that was not with its reason, and the diff of a dry run. */
export function showFixes(terminal: Terminal, { fixes, postgres }: Review): void {
  if (!fixes) return;
  if (!fixes.written) showDiff(terminal, fixes);
  for (const { rule, file, line } of fixes.fixed) {
    terminal.line(`${terminal.paint('green', '✓')} ${fixes.written ? 'fixed' : 'can be fixed'}  ${rule}  ${plain(file)}:${line}`);
  }
  showLeft(terminal, fixes);
  if (fixes.fixed.length > 0) {
    const what = 'same schema, up, down and up again, rows kept';
    terminal.line(`proved on PostgreSQL ${postgres}: ${what}${fixes.written ? '' : '; nothing was written'}`);
  }
  if (fixes.written)
    for (const { file, isNew } of fixes.files) terminal.line(`  ${isNew ? 'created' : 'changed'}  ${plain(file)}`);
  for (const { file, code } of fixes.later ?? []) {
    terminal.line(`the next release needs a revision of its own, which completes ${plain(file)} (proved with it):`);
    for (const line of plainLines(code)) terminal.line(line && `    ${line}`);
  }
  if (fixes.hookFailure !== undefined) terminal.warning(`a post_write_hook failed: ${fixes.hookFailure}`);
  terminal.line();
}

/** Shows why findings were not fixed, and what is not proved. */
export function showLeft(
  terminal: Terminal,
  { notFixed, withoutRows, upgradeOnly = [], caveats = [] }: Pick<Fixes, 'notFixed' | 'withoutRows' | 'upgradeOnly' | 'caveats'>,
): void {
  for (const reason of new Set(notFixed.map((one) => one.reason))) {
    terminal.line(`${terminal.paint('yellow', '•')} not fixed: ${plain(reason)}`);
    const findings = notFixed.filter((one) => one.reason === reason).map((one) => one.finding);
    for (const line of placesOf(findings)) terminal.line(`    ${line}`);
  }
  if (withoutRows) {
    terminal.line(`• proved without rows in ${plain(withoutRows.join(', '))}: the revision itself fails on rows`);
  }
  for (const { file, reason } of upgradeOnly) {
    terminal.line(`• proved the upgrade only: ${plain(file)} itself can't be reverted and applied again: ${plain(reason)}`);
  }
  for (const caveat of caveats) terminal.warning(caveat);
}

/** Of more findings, only the rules are listed: the review below has the places. */
const MOST_PLACES = 5;

function placesOf(findings: readonly Finding[]): readonly string[] {
  const places = [...new Set(findings.map(({ rule, file, line }) => `${rule}  ${plain(file)}:${line}`))];
  if (places.length <= MOST_PLACES) return places;
  const counts = new Map<string, number>();
  for (const { rule } of findings) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const rules = [...counts].map(([rule, count]) => (counts.size > 1 ? `${rule} ${count}` : rule));
  return [`${findings.length} findings, each shown below: ${rules.join(', ')}`];
}

function showDiff(terminal: Terminal, { files }: Fixes): void {
  for (const { diff } of files) {
    for (const line of plainLines(diff.trimEnd())) {
      const color = /^\+(?!\+\+)/.test(line) ? 'green' : /^-(?!--)/.test(line) ? 'red' : undefined;
      terminal.line(color ? terminal.paint(color, line) : line);
    }
    terminal.line();
  }
}
