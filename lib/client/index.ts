export type {
  AppliedRevision,
  ClientCode,
  Command,
  ErrorCode,
  HistoryEntry,
  MigrateAnswer,
  MigrateRequest,
  RevisionInfo,
  RunnerCode,
  Status,
} from '../contract';
export {
  type CallOptions,
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
  MigrationFailedError,
  MigrationLockedError,
} from './errors';
export type { ConnectionOptions } from './lambda-client';
export type { MigrateOptions } from './migrate';
