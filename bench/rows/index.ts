import type { Row } from '../row';
import { deployUnchanged } from './deploy-unchanged';
import { estimates } from './estimates';
import { firstRequest } from './first-request';
import { imports } from './imports';
import { nothingToDoCold } from './nothing-to-do-cold';
import { nothingToDoMemory } from './nothing-to-do-memory';
import { packagingFirst } from './packaging/first';
import { packagingUnchanged } from './packaging/unchanged';
import { packagingUnchangedUv } from './packaging/unchanged-uv';
import { zipSize } from './packaging/zip-size';
import { review100 } from './review-100';
import { reviewFaults } from './review-faults';
import { reviewOne } from './review-one';
import { synth } from './synth';
import { tenantsGrowth, tenantsGrowthPending } from './tenants/growth';
import { tenantsMemory, tenantsMemoryPending } from './tenants/memory';
import { tenantsPending } from './tenants/pending';
import { tenantsUnchanged } from './tenants/unchanged';
import { upgrade1000 } from './upgrade-1000';
import { upgradeMemory } from './upgrade-memory';
import { workspaceNothingToDo, workspaceUpgrade } from './workspace';

/** All rows, in the order of the table. */
export const ROWS: readonly Row[] = [
  nothingToDoCold,
  nothingToDoMemory,
  imports,
  upgrade1000,
  upgradeMemory,
  workspaceUpgrade,
  workspaceNothingToDo,
  tenantsUnchanged,
  tenantsPending,
  tenantsGrowth,
  tenantsGrowthPending,
  tenantsMemory,
  tenantsMemoryPending,
  firstRequest,
  packagingUnchanged,
  packagingUnchangedUv,
  packagingFirst,
  zipSize,
  synth,
  deployUnchanged,
  review100,
  reviewOne,
  reviewFaults,
  estimates('estimates-10k', 10_000),
  estimates('estimates-1m', 1_000_000),
];

/** Rows that are measured only if `--only` names them, because they take long. */
export const ON_DEMAND: readonly Row[] = [estimates('estimates-10m', 10_000_000)];
