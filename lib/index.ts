export { AlembicMigration, type AlembicMigrationProps } from './constructs/alembic-migration';
export { type DatabasePartNames, type DatabaseUrlOptions, DatabaseVariables } from './constructs/database-variables';
export { MigrationCode, type MigrationImageOptions, type UvProjectOptions } from './constructs/migration-code';
export { ContainerDeploy, MigrationCompute, type MigrationContainerOptions } from './constructs/migration-compute';
export {
  type IamDatabaseOptions,
  MigrationDatabase,
  type RdsDatabaseOptions,
  type SecretDatabaseOptions,
} from './constructs/migration-database';
export type { MigrationLimits } from './constructs/migration-limits';
export type { MigrationProps } from './constructs/migration-props';
export { TenantCanary, type TenantCanaryOptions } from './constructs/tenant-canary';
export { TenantDeploy } from './constructs/tenant-deploy';
export type { ToleratedFailures } from './constructs/tenant-limits';
export { TenantMigration, type TenantMigrationProps } from './constructs/tenant-migration';
export { TenantSource, type TenantTableOptions } from './constructs/tenant-source';
