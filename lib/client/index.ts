export type {
  Allowance,
  AppliedRevision,
  Blocker,
  ClientCode,
  Command,
  Compute,
  ContainerWork,
  DataLoss,
  DataLossRule,
  ErrorCode,
  Failure,
  FailureCode,
  FailureDetails,
  HistoryEntry,
  MigrateAnswer,
  MigrateRequest,
  RenderedRevision,
  Replication,
  RestorePoint,
  RevisionInfo,
  RunnerCode,
  Running,
  RunRecord,
  Snapshot,
  Status,
} from '../contract';
export { MigrateError } from '../contract';
export type { TenantCode, TenantFailure, TenantRunInput, TenantRunSummary, TenantsClientCode } from '../contract/tenants';
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
export type { RunAnswer, StartedContainer } from './container/in-container';
export type { ConnectionOptions } from './lambda-client';
export type { MigrateOptions } from './migrate';
export {
  type StartOptions,
  type TenantsCallOptions,
  TenantsClient,
  type TenantsClientOptions,
  type WatchOptions,
} from './tenants/client';
export type { BatchCounts, TenantPhase, TenantsProgress } from './tenants/progress';
export type { LockOptions } from './waiting/retry-while-locked';
export type { ReadyOptions } from './waiting/send-when-ready';
