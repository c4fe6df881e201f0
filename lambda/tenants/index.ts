import type { BatchProgress, BatchState, CoordinatorRequest, Judged, Listed, Summarized } from '../../lib/contract/coordinator';
import type { TenantApprovalAnswer } from '../../lib/contract/tenants';
import { approve as answerRun, requestApproval } from './approval';
import { batch as migrateBatch } from './batch';
import { judge } from './judge';
import { list } from './list';
import { settings } from './settings';
import { Store } from './store';
import { summarize } from './summarize';

export { isComplete, onEvent } from './deploy';

/** The state machine calls this between the waves. */
export async function coordinate(request: CoordinatorRequest): Promise<Listed | Judged | Summarized | undefined> {
  const own = settings();
  const store = new Store(own.bucket);
  switch (request.action) {
    case 'list':
      return list(own, store, request.runId, request.input);
    case 'judge':
      return judge(own, store, request.runId);
    case 'requestApproval':
      await requestApproval(store, request.runId, request.token);
      return undefined;
    case 'summarize':
      return summarize(own, store, request.runId, request.stopped);
  }
}

/** A child of a map calls this until its batch is done. */
export function batch(state: BatchState): Promise<BatchProgress> {
  const own = settings();
  return migrateBatch(own, new Store(own.bucket), state);
}

/** A person, or the command for a person, calls this. */
export function approve(payload: unknown): Promise<TenantApprovalAnswer> {
  return answerRun(new Store(settings().bucket), payload);
}
