/*
 * Shapes between the construct TenantMigration, its state machine, the coordinator (lambda/tenants) and the deploy's custom
 * resource. lib/contract/tenants has the shapes that all rooms use.
 */
import type { Wave } from './tenants';

/** Environment variable of the coordinator's functions that holds {@link CoordinatorSettings} as JSON. */
export const TENANTS_VARIABLE = 'CDK_ALEMBIC_TENANTS';

/** Where the list of tenants is. */
export type TenantSourceSettings =
  /** the worker queries its database */
  | { readonly kind: 'query' }
  | {
      readonly kind: 'table';
      readonly tableName: string;
      readonly nameAttribute: string;
      readonly schemaAttribute?: string;
      readonly secretArnAttribute?: string;
    }
  /** a JSON array or JSON lines; each item a name or a Tenant */
  | { readonly kind: 'object'; readonly bucket: string; readonly key: string }
  /** a function that returns such an array */
  | { readonly kind: 'function'; readonly functionName: string };

/** The first wave: these tenants, or this percentage. */
export type CanarySettings = (
  | { readonly names: readonly string[] }
  /** 1 to 50 */
  | { readonly percent: number }
) & {
  /** What to wait for after the canaries are migrated. */
  readonly after: 'pause' | 'approval';
};

export interface ToleranceSettings {
  readonly count?: number;
  /** Of the tenants of the run; 0 to 100. With `count`, the smaller one counts. */
  readonly percent?: number;
}

export interface CoordinatorSettings {
  readonly appName: string;
  readonly stage: string;
  /** Where a run's files are. */
  readonly bucket: string;
  /** Name of the function that migrates. */
  readonly worker: string;
  readonly source: TenantSourceSettings;
  readonly batchSize: number;
  /** Batches that run at the same time at most. */
  readonly concurrency: number;
  readonly canary?: CanarySettings;
  /** @default - every tenant is tried, and the run fails if one fails */
  readonly tolerated?: ToleranceSettings;
}

/** An item of `batches.json`, input and state of a child of the map. */
export interface BatchState {
  readonly runId: string;
  readonly wave: Wave;
  readonly index: number;
  /** Number of worker calls of the batch so far. */
  readonly part: number;
}

/** Decides the next state of the batch's child. */
export interface BatchProgress extends BatchState {
  readonly more: boolean;
  /** Whether a tenant of the batch has failed. */
  readonly failed: boolean;
}

/** Which wave comes next. The keys are those of the maps' batches. */
export interface Listed {
  readonly next: 'canary' | 'rest' | 'summarize';
  readonly total: number;
  readonly canaryKey: string;
  readonly restKey: string;
}

/** What follows the canaries. */
export interface Judged {
  readonly next: 'pause' | 'approval' | 'summarize';
}

/** The error in a Catch of the state machine, with Step Functions' names. */
export interface Stopped {
  readonly Error: string;
  readonly Cause?: string;
}

export interface Summarized {
  readonly status: 'complete' | 'pending' | 'failed';
  /** The TenantRunSummary: the output of a run that succeeded. */
  readonly summary: unknown;
  /** Error and cause of a failed run; else empty. */
  readonly error: string;
  readonly cause: string;
}

/** The state machine's requests to the coordinator. */
export type CoordinatorRequest =
  | { readonly action: 'list'; readonly runId: string; readonly input: unknown }
  | { readonly action: 'judge'; readonly runId: string }
  | { readonly action: 'requestApproval'; readonly runId: string; readonly token: string }
  | { readonly action: 'summarize'; readonly runId: string; readonly stopped: Stopped | null };

/** CloudFormation turns every property of a custom resource into a string. */
export interface TenantsOnDeployProperties {
  readonly ServiceToken: string;
  readonly StateMachineArn: string;
  readonly Stage: string;
  /** Changes with the worker's package and configuration: CloudFormation then sends an Update. */
  readonly Fingerprint: string;
}

/** Attributes of the custom resource. */
export interface TenantsOnDeployData {
  /** The run that the deploy started; empty after a rollback. */
  readonly runId: string;
  /** Its page in the AWS console; empty after a rollback. */
  readonly consoleUrl: string;
}
