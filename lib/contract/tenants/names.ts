/** Name of the function that migrates the tenants of a stage. */
export function tenantFunctionName(appName: string, stage: string): string {
  return `${appName}-api-migrate-tenants-lambda-${stage}`;
}

/** Name of the state machine that runs over the tenants of a stage. */
export function tenantStateMachineName(appName: string, stage: string): string {
  return `${appName}-api-migrate-tenants-${stage}`;
}

/** Name of the function that approves or rejects the canaries of a run. */
export function tenantApprovalName(appName: string, stage: string): string {
  return `${appName}-api-migrate-tenants-approve-${stage}`;
}

/**
 * States of the state machine that show a run's progress; others may be between them. The two maps also use their names as labels, so
 * that each map run identifies its wave.
 */
export const TENANT_STATES = {
  list: 'List',
  canary: 'Canary',
  judge: 'Judge',
  pause: 'Pause',
  approval: 'Approval',
  rest: 'Rest',
  summarize: 'Summarize',
} as const;

/** Permissions of a run's caller on its state machine, its executions and their map runs; `ListStateMachines` covers all. */
export const RUN_ACTIONS = [
  'states:ListStateMachines',
  'states:StartExecution',
  'states:DescribeExecution',
  'states:GetExecutionHistory',
  'states:ListMapRuns',
  'states:DescribeMapRun',
  'states:StopExecution',
] as const;

/** Connections that a worker has open at the same time: one that migrates and one that holds the mutex. */
export const CONNECTIONS_PER_WORKER = 2;
