import type { BodyUnit, InnerStatement } from '../../../contract/facts';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { operationsOf } from '../../revision/operations';
import { isSameAction, type PlainStep } from '../../revision/steps';
import { unqualifiedName } from '../../revision/tables';
import type { Action } from '../../sql/action';

/** Maps steps to the statements of the source that made them. */
export class Units {
  private readonly found = new Map<Step, BodyUnit | undefined>();

  constructor(
    readonly all: readonly BodyUnit[],
    readonly part: RevisionFunction,
  ) {}

  /** Those that return for another kind of database before anything else runs. */
  get guards(): readonly BodyUnit[] {
    const first = this.all.findIndex(({ kind }) => !['nothing', 'names', 'guard'].includes(kind));
    return this.all.filter(({ kind }, at) => kind === 'guard' && (first < 0 || at < first));
  }

  /** Lines of other returns before the function's end. */
  earlyReturns(): readonly number[] {
    const { guards } = this;
    const lines = this.part.source?.earlyReturns ?? [];
    return lines.filter((line) => !guards.some((unit) => line >= unit.line && line <= unit.endLine));
  }

  of(step: Step): BodyUnit | undefined {
    if (!this.found.has(step)) this.found.set(step, this.find(step));
    return this.found.get(step);
  }

  private find(step: Step): BodyUnit | undefined {
    const direct = this.at(step);
    if (direct) return direct;
    // A batch runs its statements when it ends: Python then reports the line of the `with`, unless the source has the operation.
    const line = lineOf(step);
    const located = new Set(this.part.steps.map((one) => this.at(one)));
    const inBatch = this.all.filter((unit) => unit.opened === line && !located.has(unit));
    const statements = [...new Set(this.part.steps.filter((one) => one.line === step.line).map(({ index }) => index))];
    // One that repeats makes them all.
    if (inBatch.length === 1) return inBatch[0];
    if (inBatch.length === statements.length) return inBatch[statements.indexOf(step.index)];
    const makers = inBatch.filter((unit) => this.matchesSource(unit, step.action));
    return makers.length === 1 ? makers[0] : undefined;
  }

  /** The statement on the step's own line. */
  private at(step: PlainStep): BodyUnit | undefined {
    const line = lineOf(step);
    return this.all.find((unit) => line >= unit.line && line <= unit.endLine);
  }

  steps(unit: BodyUnit): readonly Step[] {
    return this.part.steps.filter((step) => this.of(step) === unit);
  }

  /** The steps of a unit, with those that changed nothing. */
  allSteps(unit: BodyUnit): readonly PlainStep[] {
    const idle = this.part.idleSteps.filter((step) => this.at(step) === unit);
    return [...this.steps(unit), ...idle].sort((one, other) => one.index - other.index);
  }

  /** Whether a unit can be replaced by its statements: it is one, repeats those that the replay saw, or only asks for an index. */
  isPlain(unit: BodyUnit | undefined): boolean {
    return !!unit && (['plain', 'repeated'].includes(unit.kind) || this.onlyChecks(unit));
  }

  /** The statement of a step in a condition that is kept; undefined if it is in none, is not the only one like it, or did not run. */
  inner(step: PlainStep): InnerStatement | undefined {
    const unit = this.at(step);
    if (!unit || !step.observed || this.isPlain(unit)) return undefined;
    const line = lineOf(step);
    const found = unit.inner.find((one) => line >= one.line && line <= one.endLine);
    return found && unit.code.split(found.code).length === 2 ? found : undefined;
  }

  /** The indexes that a unit drops, if it does nothing else. */
  droppedIndexes(unit: BodyUnit): readonly string[] {
    const names = this.steps(unit).flatMap(({ action }) => droppedIndexes(action));
    return unit.kind === 'plain' && !names.includes(undefined) ? names.filter((name) => name !== undefined) : [];
  }

  /** The indexes that a unit creates. */
  createdIndexes(unit: BodyUnit): readonly string[] {
    return this.steps(unit).flatMap(({ action }) => createdIndexes(action).filter((name) => name !== undefined));
  }

  /** The table of an index before the revision. */
  tableOfIndex(name: string): string | undefined {
    return this.part.findIndex(name)?.table;
  }

  /**
   * Whether a condition asks for an index, around operations that create (or drop) it and others: the safe form of an index can run
   * again without it. That of a constraint would fail if it exists already.
   */
  private onlyChecks(unit: BodyUnit): boolean {
    const { checks } = unit;
    if (!checks) return false;
    const indexes = this.steps(unit).flatMap(({ action }) => (checks.exists ? droppedIndexes(action) : createdIndexes(action)));
    return !indexes.includes(undefined) && indexes.some((name) => name !== undefined && checks.texts.includes(name));
  }

  private matchesSource({ line, endLine }: BodyUnit, action: Action): boolean {
    const calls = this.part.source?.calls.filter((call) => call.line >= line && call.line <= endLine) ?? [];
    return calls.flatMap(operationsOf).some((operation) => isSameAction(operation.action, action));
  }
}

function lineOf({ line, observed }: PlainStep): number {
  return observed?.calledAt ?? line;
}

/** The names of the indexes that an action creates; undefined for anything else that it does. */
function createdIndexes(action: Action): readonly (string | undefined)[] {
  return [action.does === 'create index' ? action.index : undefined];
}

/** The names of the indexes that an action drops; undefined for anything else that it does. */
function droppedIndexes(action: Action): readonly (string | undefined)[] {
  return action.does === 'drop index' ? action.indexes.map(unqualifiedName) : [undefined];
}
