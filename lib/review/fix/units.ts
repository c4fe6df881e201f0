import type { BodyUnit } from '../../contract/facts';
import { operationsOf } from '../revision/operations';
import type { Part, Step } from '../revision/reviewed';
import { isSame } from '../revision/steps';
import type { Action } from '../sql/action';

/** Which statement of the source made a step. */
export class Units {
  constructor(
    readonly all: readonly BodyUnit[],
    private readonly part: Part,
  ) {}

  of(step: Step): BodyUnit | undefined {
    const direct = this.all.find((unit) => step.line >= unit.line && step.line <= unit.endLine);
    if (direct) return direct;
    // A batch runs its statements when it ends, and Python then says the line of its `with`.
    const inBatch = this.all.filter((unit) => unit.opened === step.line);
    const statements = [...new Set(this.part.steps.filter(({ line }) => line === step.line).map(({ index }) => index))];
    if (inBatch.length === statements.length) return inBatch[statements.indexOf(step.index)];
    const makers = inBatch.filter((unit) => this.makes(unit, step.action));
    return makers.length === 1 ? makers[0] : undefined;
  }

  steps(unit: BodyUnit): readonly Step[] {
    return this.part.steps.filter((step) => this.of(step) === unit);
  }

  private makes({ line, endLine }: BodyUnit, action: Action): boolean {
    const calls = this.part.source?.calls.filter((call) => call.line >= line && call.line <= endLine) ?? [];
    return calls.flatMap(operationsOf).some((operation) => isSame(operation.action, action));
  }
}
