import type { AppliedRevision, Blocker, MigrateAnswer, MigrateRequest } from '../contract';
import { MigrateError } from '../contract/failure';

/** A run over several calls and containers: its next request, and its results. */
export class RunState {
  readonly applied: AppliedRevision[] = [];
  private readonly warnings = new Set<string>();
  private readonly ended: Blocker[] = [];
  private from?: readonly string[];
  /** The target of the next call. */
  private revision?: string;
  /** All calls belong to one run in the history, under the first call's id. */
  private runId?: string;

  constructor(private readonly initial: MigrateRequest) {
    this.revision = initial.revision;
    this.runId = initial.runId;
  }

  /** The next request. */
  get request(): MigrateRequest {
    return { ...this.initial, revision: this.revision, runId: this.runId };
  }

  /** The run's id in the history: from a call, or a new one. */
  id(): string {
    this.runId ??= crypto.randomUUID();
    return this.runId;
  }

  /** Adds the answer of a call. Throws a MigrateError if a `partial` one does not say how to continue. */
  add({ status, applied, warnings, endedBlockers = [], from, runId, continueWith }: MigrateAnswer): void {
    this.applied.push(...applied);
    this.ended.push(...endedBlockers);
    for (const warning of warnings) this.warnings.add(warning);
    this.from ??= from;
    this.runId ??= runId;
    if (status !== 'partial') return;
    // The request's own revision could mean another one by now.
    if (continueWith === undefined) {
      const message = 'a call stopped between two revisions and did not say how to continue';
      throw new MigrateError('unexpected_answer', message, 'use the version of cdk-alembic that deployed the function');
    }
    this.revision = continueWith;
  }

  /** The answer of the whole run, based on the last call's. */
  answer(last: MigrateAnswer): MigrateAnswer {
    const { from = last.from, applied, warnings, ended, runId } = this;
    return {
      ...last,
      from,
      applied: [...applied],
      warnings: [...warnings],
      ...(ended.length > 0 && { endedBlockers: [...ended] }),
      ...(runId !== undefined && { runId }),
    };
  }
}
