import type { TenantFailure, TenantRunSummary } from '../../../contract/tenants';
import { showDataLoss } from '../../answer/show-data-loss';
import { cut } from '../../screen/display-width';
import { areSameRevisions, duration, plain, revisionNames, type Terminal } from '../../screen/terminal';

const MAX_POSITIONS = 12;
const MAX_FAILURES = 20;
const NONE_FAILED = 'no tenant failed in its last upgrade';

/** Shows how many tenants are at which revision, and what an upgrade to head destroys. */
export function showPositions(terminal: Terminal, summary: TenantRunSummary): void {
  const { heads, positions, pending, unchanged, ahead, failed, dataLoss } = summary;
  if (summary.total === 0) {
    terminal.line(NONE_FAILED);
    return;
  }
  const populations: [number, string][] = [
    [unchanged, 'at head'],
    [pending, 'behind'],
    [ahead, 'ahead of the deployed code'],
    [failed, 'could not be determined'],
  ];
  const parts = populations.flatMap(([count, what]) => (count > 0 ? [`${number(count)} ${what}`] : []));
  terminal.line(`${tenants(summary.total)}, head is ${revisionNames(heads)}: ${parts.join(', ')}`);
  const widest = Math.max(...positions.map(({ tenants: count }) => number(count).length));
  for (const { revisions, tenants: count } of positions.slice(0, MAX_POSITIONS)) {
    const head = areSameRevisions(revisions, heads) ? ' (head)' : '';
    terminal.line(`  ${number(count).padStart(widest)}  ${terminal.paint('bold', revisionNames(revisions))}${head}`);
  }
  if (positions.length > MAX_POSITIONS) terminal.line(`  and ${positions.length - MAX_POSITIONS} more revisions`);
  for (const loss of dataLoss) {
    terminal.line(`  ${terminal.paint('yellow', '•')} ${terminal.paint('bold', plain(loss.revision))} is pending`);
    showDataLoss(terminal, loss);
  }
}

/** Shows the result of a run; `ms` is its duration, if known. */
export function showDone(terminal: Terminal, { migrated, unchanged, heads, ...summary }: TenantRunSummary, ms?: number): void {
  const head = `head (${revisionNames(heads)})`;
  if (summary.total === 0) terminal.line(`nothing to do: ${NONE_FAILED}`);
  else if (migrated === 0 && summary.failed === 0) terminal.line(`nothing to do: ${tenants(unchanged)} at ${head}`);
  else {
    const time = ms === undefined ? '' : ` in ${duration(ms)}`;
    const before = unchanged > 0 ? `, ${number(unchanged)} ${unchanged === 1 ? 'was' : 'were'} already at head` : '';
    terminal.line(`${tenants(migrated)} migrated to ${head}${time}${before}`);
  }
}

/** Shows the failed tenants with their errors, and where the full list is. */
export function showFailures(terminal: Terminal, { failures, failed, detailsUri }: TenantRunSummary): void {
  for (const failure of failures.slice(0, MAX_FAILURES)) showFailedTenant(terminal, failure);
  const more = failed - Math.min(failures.length, MAX_FAILURES);
  if (more > 0) terminal.line(`  and ${number(more)} more: ${detailsUri}failures.json`);
}

function showFailedTenant(terminal: Terminal, { tenant, error }: TenantFailure): void {
  const known = [error.revision && `revision ${error.revision}`, error.sqlState && `SQLSTATE ${error.sqlState}`];
  const about = known.filter(Boolean).join(', ');
  const reason = plain(`${error.code}: ${error.message}${about && ` (${about})`}`);
  const room = Math.max(terminal.width - tenant.length - 6, 20);
  terminal.line(`  ${terminal.paint('red', '✗')} ${terminal.paint('bold', plain(tenant))}  ${cut(reason, room)}`);
}

export function tenants(count: number): string {
  return `${number(count)} tenant${count === 1 ? '' : 's'}`;
}

export function number(count: number): string {
  return count.toLocaleString('en-US');
}
