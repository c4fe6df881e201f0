import { type FixableRevision, shapeOf } from '../../../review';

export type Fixable = FixableRevision['fixable'][number];

/** So many fixes of a kind fail before the others of the kind count as failed. */
const FAILURES_OF_KIND = 3;

/** The failures of one revision's fixes. */
export class Failures {
  /** Why sets of fixes are not proved. */
  private readonly reasons = new Map<string, string>();
  /** How often fixes of a kind failed for the same reason. */
  private readonly kinds = new Map<string, number>();

  constructor(private readonly all: readonly Fixable[]) {}

  get count(): number {
    return this.reasons.size;
  }

  /** `inOrder`: whether the statements kept their order. */
  add(fixes: readonly Fixable[], inOrder: boolean, reason: string): void {
    this.reasons.set(this.key(fixes, inOrder), reason);
  }

  /** Why these fixes are not proved; undefined if they may be. */
  reason(fixes: readonly Fixable[], inOrder: boolean): string | undefined {
    return this.reasons.get(this.key(fixes, inOrder));
  }

  /** Counts failed fixes. Returns those of the others that would fail like them, as several of their kind have. */
  ofKind(failed: readonly Fixable[], reason: string, others: readonly Fixable[]) {
    const kindOf = (one: Fixable) => `${shapeOf(one)}\n${reason.replace(/"[^"]*"/g, '')}`;
    const kinds = new Set(failed.map(kindOf));
    for (const kind of kinds) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    const isHopeless = (kind: string) => kinds.has(kind) && (this.kinds.get(kind) ?? 0) >= FAILURES_OF_KIND;
    return {
      hopeless: others.filter((one) => isHopeless(kindOf(one))),
      why: `${FAILURES_OF_KIND} others of its kind fail, such as line ${failed[0]?.finding.line}: ${reason}`,
    };
  }

  private key(fixes: readonly Fixable[], inOrder: boolean): string {
    const positions = fixes.map((one) => this.all.indexOf(one));
    return `${positions.sort((one, other) => one - other)} ${inOrder}`;
  }
}
