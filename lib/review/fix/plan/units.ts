import type { BodyUnit } from '../../../contract/facts';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { operationsOf } from '../../revision/operations';
import { isSameAction } from '../../revision/steps';
import { unqualifiedName } from '../../revision/tables';
import type { Action } from '../../sql/action';

/** Maps steps to the statements of the source that made them. */
export class Units {
  constructor(
    readonly all: readonly BodyUnit[],
    private readonly part: RevisionFunction,
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
    const line = step.observed?.calledAt ?? step.line;
    const direct = this.all.find((unit) => line >= unit.line && line <= unit.endLine);
    if (direct) return direct;
    // A batch runs its statements when it ends: Python then reports the line of the `with`.
    const inBatch = this.all.filter((unit) => unit.opened === line);
    const statements = [...new Set(this.part.steps.filter((one) => one.line === step.line).map(({ index }) => index))];
    if (inBatch.length === statements.length) return inBatch[statements.indexOf(step.index)];
    const makers = inBatch.filter((unit) => this.matchesSource(unit, step.action));
    return makers.length === 1 ? makers[0] : undefined;
  }

  steps(unit: BodyUnit): readonly Step[] {
    return this.part.steps.filter((step) => this.of(step) === unit);
  }

  /** Whether a unit can be replaced by its statements: it is one, repeats those that the replay saw, or only guards one. */
  isPlain(unit: BodyUnit | undefined): boolean {
    return !!unit && (['plain', 'repeated'].includes(unit.kind) || this.guardsOne(unit));
  }

  /**
   * `if "ix_users_email" not in indexes:` around the operation that creates it: the safe form of an index checks that itself. That of a
   * constraint would fail if it exists already.
   */
  private guardsOne(unit: BodyUnit): boolean {
    const { head, body } = blockOf(unit);
    const [, , name, not] = /^if (["'])([\w.]+)\1 (not )?in [^:]+:$/.exec(head) ?? [];
    const [step, ...more] = this.steps(unit);
    if (!step || more.length || CONTROL.test(body) || !OPERATION.test(body)) return false;
    const { action } = step;
    if (name === undefined) return false;
    return not
      ? action.does === 'create index' && action.index === name
      : action.does === 'drop index' && action.indexes.map(unqualifiedName).includes(name);
  }

  private matchesSource({ line, endLine }: BodyUnit, action: Action): boolean {
    const calls = this.part.source?.calls.filter((call) => call.line >= line && call.line <= endLine) ?? [];
    return calls.flatMap(operationsOf).some((operation) => isSameAction(operation.action, action));
  }
}

/** The line that opens a block, and the rest. */
function blockOf({ code }: BodyUnit): { readonly head: string; readonly body: string } {
  const lines = code.split('\n').filter((line) => line.trim() && !line.trim().startsWith('#'));
  const end = lines.findIndex((line) => line.trimEnd().endsWith(':'));
  const head = lines.slice(0, end + 1).map((line) => line.trim());
  return { head: head.join(' ').replace(/ (?=[)\]}])|(?<=[([{]) /g, ''), body: lines.slice(end + 1).join('\n') };
}

/** One call of `op`, and nothing after it. */
const OPERATION = /^\s*op\.\w+\((?:.*\)\s*|[^\n]*\n(?:.*\n)*\s*\)\s*)$/;
/** Branches and queries, which may run differently on another database. */
const CONTROL =
  /^\s*(?:if|elif|else|try|while|for|continue|break|return|raise|assert)\b|\b(?:get_bind|fetch\w*|scalar\w*|rowcount)\b/m;
