import { SendTaskFailureCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { CONTRACT_VERSION } from '../../lib/contract';
import { type TenantApproval, type TenantApprovalAnswer, tenantApprovalProblems } from '../../lib/contract/tenants';
import { log } from '../on-deploy/log';
import { refuse } from '../on-deploy/refuse';
import { approvalKey } from './files/run-files';
import type { Store } from './files/store';

/** `approval.json`. Using the token also requires a permission on the state machine. */
interface WaitingRun {
  readonly token: string;
}

/** Step Functions' errors for a token that was already used or has expired. */
const EXPIRED_TOKEN = ['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken'];

/** Stores the token that passes a person's answer on to the run. */
export async function requestApproval(store: Store, runId: string, token: string): Promise<void> {
  await store.put(approvalKey(runId), { token } satisfies WaitingRun);
}

/** Continues or ends a run that waits for a person. */
export async function approve(store: Store, payload: unknown): Promise<TenantApprovalAnswer> {
  const { runId, approved, requestedBy } = checked(payload);
  const answer = (status: TenantApprovalAnswer['status']): TenantApprovalAnswer => ({
    contract: CONTRACT_VERSION,
    runId,
    status,
  });
  const waiting = await store.get<WaitingRun>(approvalKey(runId));
  if (!waiting) return answer('not_waiting');
  const { token: taskToken } = waiting;
  const command = approved
    ? new SendTaskSuccessCommand({ taskToken, output: JSON.stringify({ approvedBy: requestedBy }) })
    : new SendTaskFailureCommand({ taskToken, error: 'not_approved', cause: `${requestedBy} did not approve the canaries` });
  const sfn = new SFNClient();
  try {
    await sfn.send(command as SendTaskSuccessCommand);
  } catch (error) {
    if (EXPIRED_TOKEN.includes((error as Error).name)) return answer('not_waiting');
    throw error;
  } finally {
    sfn.destroy();
  }
  log('info', approved ? 'approved' : 'not approved', { runId, requestedBy });
  return answer('taken');
}

function checked(payload: unknown): Required<TenantApproval> {
  refuse(tenantApprovalProblems(payload), 'correct the request, or use `npx migrate-invoke --approve`');
  return { requestedBy: 'invoke', ...(payload as TenantApproval) };
}
