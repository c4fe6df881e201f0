export type {
  Allowance,
  AppliedRevision,
  ClientCode,
  Command,
  Compute,
  ContainerWork,
  DataLoss,
  DataLossRule,
  ErrorCode,
  HistoryEntry,
  MigrateAnswer,
  MigrateRequest,
  RenderedRevision,
  RevisionInfo,
  RunnerCode,
  RunRecord,
  Status,
} from '../contract';
export type { TenantCode, TenantFailure, TenantRunInput, TenantRunSummary } from '../contract/tenants';
export {
  type CallOptions,
  type CheckAnswer,
  type DowngradeOptions,
  MigrateClient,
  type MigrateClientOptions,
  type PlanOptions,
  type RunOptions,
  type StampOptions,
  type UpgradeOptions,
} from './client';
export {
  AccessDeniedError,
  DatabaseAheadError,
  FunctionNotFoundError,
  MigrateError,
  type MigrateErrorDetails,
  MigrationBlockedError,
  MigrationFailedError,
  MigrationLockedError,
} from './errors';
export type { ConnectionOptions } from './lambda-client';
export type { MigrateOptions, RunAnswer, StartedContainer } from './migrate';
export {
  type StartOptions,
  type TenantsCallOptions,
  TenantsClient,
  type TenantsClientOptions,
  type WatchOptions,
} from './tenants/client';
export {
  TenantsError,
  type TenantsErrorCode,
  type TenantsErrorDetails,
} from './tenants/errors';
export type { BatchCounts, TenantPhase, TenantsProgress } from './tenants/progress';
export type { LockOptions } from './wait-for-lock';
export type { ReadyOptions } from './wait-until-ready';
