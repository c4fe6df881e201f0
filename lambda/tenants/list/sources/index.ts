import { MigrateError } from '../../../../lib/contract';
import type { CoordinatorSettings } from '../../../../lib/contract/coordinator';
import type { Tenant } from '../../../../lib/contract/tenants';
import { readTenants } from '../tenants';
import { fromFunction } from './function';
import { fromObject } from './object';
import { fromQuery } from './query';
import { fromTable } from './table';

/** All tenants, validated and sorted. */
export async function listTenants({ source, worker }: CoordinatorSettings): Promise<Tenant[]> {
  try {
    switch (source.kind) {
      case 'query':
        return readTenants(await fromQuery(worker));
      case 'table':
        return readTenants(await fromTable(source));
      case 'object':
        return readTenants(await fromObject(source));
      case 'function':
        return readTenants(await fromFunction(source.functionName));
    }
  } catch (error) {
    if (error instanceof MigrateError && error.code === 'tenants_unavailable') throw error;
    const { name, message, next = 'see the log of the coordinator' } = error as Error & { next?: string };
    throw new MigrateError('tenants_unavailable', `the tenants could not be listed (${source.kind}): ${name}: ${message}`, next);
  }
}
