import type { DriftedTenant, TenantRunSummary } from '../../../contract/tenants';
import { showDriftedObjects } from '../../answer/production/show-drift';
import { plain, type Terminal } from '../../screen/terminal';
import { number, tenants } from './show';

/** Shows each tenant that was changed by hand with its objects, and each that could not be compared. */
export function showTenantsDrift(terminal: Terminal, { total, drift, detailsUri }: TenantRunSummary): void {
  if (!drift) return;
  const populations: [number, string][] = [
    [drift.none, 'without drift'],
    [drift.drifted, 'changed by hand'],
    [drift.unknown, 'could not be compared'],
  ];
  const parts = populations.flatMap(([count, what]) => (count > 0 ? [`${number(count)} ${what}`] : []));
  terminal.line(`${tenants(total)}${parts.length > 0 ? ': ' : ''}${parts.join(', ')}`);
  for (const tenant of drift.tenants) showTenant(terminal, tenant);
  const more = drift.drifted + drift.unknown - drift.tenants.length;
  if (more > 0) terminal.line(`  and ${number(more)} more: ${detailsUri}drift.json`);
}

function showTenant(terminal: Terminal, { tenant, status, reason, keptAt, count, objects }: DriftedTenant): void {
  const name = terminal.paint('bold', plain(tenant));
  if (status === 'unknown') {
    terminal.line(`${terminal.paint('yellow', '?')} ${name}  ${plain(reason ?? '')}`);
    return;
  }
  terminal.line(`${terminal.paint('yellow', '!')} ${name}  ${number(count)} changed by hand since ${plain(keptAt ?? '')}`);
  showDriftedObjects(terminal, objects);
  if (count > objects.length) terminal.line(`  and ${number(count - objects.length)} more objects`);
}
