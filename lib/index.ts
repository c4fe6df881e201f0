export { AlembicMigration, type AlembicMigrationProps } from './constructs/alembic-migration';
export type { MigrationImageOptions } from './constructs/code/image-code';
export { MigrationCode, PackageOnly, type ProjectOptions } from './constructs/code/migration-code';
export { ContainerDeploy, MigrationCompute, type MigrationContainerOptions } from './constructs/container/migration-compute';
export { type DatabasePartNames, type DatabaseUrlOptions, DatabaseVariables } from './constructs/database/database-variables';
export {
  type IamDatabaseOptions,
  MigrationDatabase,
  type ProxyDatabaseOptions,
  type RdsDatabaseOptions,
  type SecretDatabaseOptions,
} from './constructs/database/migration-database';
export { MigrationSecret } from './constructs/database/migration-secret';
export { OnDrift } from './constructs/drift/on-drift';
export type { EndBlockers, MigrationLimits } from './constructs/function/migration-limits';
export type { MigrationProps } from './constructs/function/migration-props';
export { OnReplication } from './constructs/function/on-replication';
export { MigrationSnapshot, type MigrationSnapshotOptions } from './constructs/snapshot/migration-snapshot';
export { TenantCanary, type TenantCanaryOptions } from './constructs/tenants/tenant-canary';
export { TenantDeploy } from './constructs/tenants/tenant-deploy';
export type { ToleratedFailures } from './constructs/tenants/tenant-limits';
export { TenantMigration, type TenantMigrationProps } from './constructs/tenants/tenant-migration';
export { TenantSource, type TenantTableOptions } from './constructs/tenants/tenant-source';
