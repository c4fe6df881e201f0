import type { Tenant, TenantList } from '../../../../lib/contract/tenants';
import { callWorker } from '../../batch/worker';

/** The worker runs the query on its own database, page by page. */
export async function fromQuery(worker: string): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (let after: string | undefined; ; after = tenants.at(-1)?.name) {
    const page = (await callWorker(worker, { command: 'tenants', ...(after !== undefined && { after }) })) as TenantList;
    for (const tenant of page.tenants) tenants.push(tenant);
    if (!page.more || page.tenants.length === 0) return tenants;
  }
}
