import type { Fixes, Review } from '../../../review';
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
    const places = findings.map(({ rule, file, line }) => `${rule}  ${plain(file)}:${line}`);
    for (const place of new Set(places)) terminal.line(`    ${place}`);
  }
  if (withoutRows) {
    terminal.line(`• proved without rows in ${plain(withoutRows.join(', '))}: the revision itself fails on rows`);
  }
  for (const { file, reason } of upgradeOnly) {
    terminal.line(`• proved the upgrade only: ${plain(file)} itself can't be reverted and applied again: ${plain(reason)}`);
  }
  for (const caveat of caveats) terminal.warning(caveat);
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
