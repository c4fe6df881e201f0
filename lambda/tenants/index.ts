import type { BatchProgress, BatchState, CoordinatorRequest, Judged, Listed, Summarized } from '../../lib/contract/coordinator';
import type { TenantApprovalAnswer } from '../../lib/contract/tenants';
import { approve as answerRun, requestApproval } from './approval';
import { batch as migrateBatch } from './batch/batch';
import { Store } from './files/store';
import { list } from './list/list';
import { checkBatch, checkRequest } from './requests';
import { settings } from './settings';
import { judge } from './summary/judge';
import { summarize } from './summary/summarize';

export { isComplete, onEvent } from './deploy/deploy';

/** The state machine calls this between the waves. */
export async function coordinate(request: CoordinatorRequest): Promise<Listed | Judged | Summarized | undefined> {
  checkRequest(request);
  const coordinator = settings();
  const store = new Store(coordinator.bucket);
  switch (request.action) {
    case 'list':
      return list(coordinator, store, request.runId, request.input);
    case 'judge':
      return judge(coordinator, store, request.runId);
    case 'requestApproval':
      await requestApproval(store, request.runId, request.token);
      return undefined;
    case 'summarize':
      return summarize(coordinator, store, request.runId, request.stopped);
  }
}

/** Each child of a map calls this until its batch is done. */
export async function batch(state: BatchState): Promise<BatchProgress> {
  checkBatch(state);
  const coordinator = settings();
  return migrateBatch(coordinator, new Store(coordinator.bucket), state);
}

/** Called by a person, or by the command on their behalf. */
export async function approve(payload: unknown): Promise<TenantApprovalAnswer> {
  return answerRun(new Store(settings().bucket), payload);
}
