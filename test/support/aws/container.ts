import type { AppliedRevision, MigrateAnswer, MigrateRequest, RunRecord } from '../../../lib/contract';
import { answer, applied } from './answers';
import type { Reply } from './lambda';

/*
 * A fake stage with a container: its function, which stops before the revisions `b2` and `c3`, and Step Functions, which would
 * run them. It has neither ECS nor the container's code: test/runner/container/test_task.py runs that as a process.
 */

export const MACHINE = 'arn:aws:states:eu-central-1:111122223333:stateMachine:template-saas-api-migrate-lambda-dev-container';
export const RUN_ID = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';

/** The state of the execution at one poll. Each poll advances to the next moment; the last one stays. */
export interface Moment {
  readonly status?: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  readonly cause?: string;
  /** The revisions in the run history at this moment. */
  readonly applied?: readonly AppliedRevision[];
  readonly outcome?: string;
  readonly error?: string;
  /** What the second read of the history returns instead: the final record of a task that is being stopped. */
  readonly later?: { readonly outcome: string; readonly error: string };
}

export class FakeContainer {
  /** Names and inputs of the started executions, in order. */
  readonly started: { readonly name: string; readonly input: MigrateRequest }[] = [];
  /** Number of polls. */
  looks = 0;
  /** How many reads of the history fail from now on. */
  unreadable = 0;
  private reads = 0;
  private runId = RUN_ID;

  constructor(private readonly moments: readonly Moment[]) {}

  /** The function's answer. */
  readonly reply = ({ command, in: place, runId }: MigrateRequest): Reply => {
    this.runId = runId ?? this.runId;
    const { applied: done = [] } = this.moment;
    const pending = ['b2', 'c3', 'd4'].filter((revision) => !done.some((item) => item.revision === revision));
    if (command === 'history' && this.unreadable > 0) {
      this.unreadable -= 1;
      return { status: 500, error: 'ServiceException' };
    }
    if (command === 'history') return { answer: { ...answer({ command }), runs: [this.record(done)] } };
    const at = done.at(-1)?.revision ?? 'a1';
    const where = { heads: ['d4'], target: ['d4'], to: [at], runId: this.runId };
    if (pending[0] === 'd4') {
      return { answer: answer({ ...where, command: 'upgrade', from: [at], to: ['d4'], applied: [applied('d4')] }) };
    }
    const stopped: Partial<MigrateAnswer> = {
      status: command === 'upgrade' ? 'partial' : 'pending',
      from: [at],
      ...(command === 'upgrade' && { continueWith: 'd4' }),
      pending: pending.map((revision) => ({ revision, message: `Add ${revision}` })),
      container: {
        revisions: pending.filter((revision) => place === 'container' || revision !== 'd4'),
        stateMachineArn: MACHINE,
      },
    };
    return { answer: answer({ ...where, command: command ?? 'upgrade', ...stopped }) };
  };

  /** Step Functions' answer. */
  readonly stepFunctions = (operation: string, body: Record<string, string>): object => {
    if (operation === 'StartExecution') {
      const { name = '', input = '' } = body;
      const before = this.started.find((other) => other.name === name);
      if (before && this.looks >= this.moments.length) return { status: 400, error: 'ExecutionAlreadyExists' };
      if (!before) this.started.push({ name, input: JSON.parse(input) });
      return { executionArn: `${MACHINE.replace(':stateMachine:', ':execution:')}:${name}`, startDate: 0 };
    }
    this.looks += 1;
    const { status = 'RUNNING', cause } = this.moment;
    return { executionArn: body.executionArn, stateMachineArn: MACHINE, name: 'x', status, startDate: 0, cause };
  };

  private get moment(): Moment {
    return this.looks === 0 ? {} : (this.moments[Math.min(this.looks, this.moments.length) - 1] as Moment);
  }

  private record(done: readonly AppliedRevision[]): RunRecord {
    const { later, ...now } = this.moment;
    this.reads += later ? 1 : 0;
    const { outcome = 'running', error = null } = later && this.reads > 1 ? later : now;
    const fixed = {
      runId: this.runId,
      command: 'upgrade',
      stage: 'dev',
      requestedBy: 'invoke',
      startedAt: '2026-01-01T00:00:00Z',
    };
    return { ...fixed, endedAt: null, from: ['a1'], to: ['a1'], outcome, error, applied: done };
  }
}
