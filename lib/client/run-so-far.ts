import type { AppliedRevision, MigrateAnswer, MigrateRequest } from '../contract';

/** What a run over several calls and containers asks for next, and what it has done. */
export class RunSoFar {
  readonly applied: AppliedRevision[] = [];
  private readonly warnings = new Set<string>();
  private from?: readonly string[];
  /** The revision that the next call asks for. */
  private revision?: string;
  /** All calls are one run in the history: they have the id that the first was given. */
  private runId?: string;

  constructor(private readonly asked: MigrateRequest) {
    this.revision = asked.revision;
    this.runId = asked.runId;
  }

  /** The next call. */
  get request(): MigrateRequest {
    return { ...this.asked, revision: this.revision, runId: this.runId };
  }

  /** The id of the run in the history: the one that a call has given, or a new one. */
  id(): string {
    this.runId ??= crypto.randomUUID();
    return this.runId;
  }

  /** A call was answered. */
  add({ applied, warnings, from, runId, target, status }: MigrateAnswer): void {
    this.applied.push(...applied);
    for (const warning of warnings) this.warnings.add(warning);
    this.from ??= from;
    this.runId ??= runId;
    // A step such as `+2` would otherwise be counted again from where this call ended.
    if (status === 'partial') this.revision = target.length > 1 ? this.asked.revision : (target[0] ?? 'base');
  }

  /** The last call's answer, as that of the whole run. */
  answer(last: MigrateAnswer): MigrateAnswer {
    const { from = last.from, applied, warnings, runId } = this;
    return { ...last, from, applied: [...applied], warnings: [...warnings], ...(runId !== undefined && { runId }) };
  }
}
