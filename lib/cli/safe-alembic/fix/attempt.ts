import type { BodyFacts } from '../../../contract/facts';
import { type FixableRevision, type NotFixed, type Plan, type Planned, plan, withoutOwnCommits } from '../../../review';

type Fixable = FixableRevision['fixable'][number];

/**
 * The fixes of one revision: all of them at first, and in halves if they can't be proved together. Statements may change
 * their order, so that few revisions are needed, unless that can't be proved.
 */
export class Attempt {
  private proved: readonly Fixable[] = [];
  private provedInOrder = false;
  private inOrder = false;
  private tried: readonly Fixable[];
  /** Groups to try after it. */
  private waiting: readonly (readonly Fixable[])[] = [];
  /** Why sets of fixes are not proved. */
  private readonly failed = new Map<string, string>();
  /** It has no parts. */
  private repair: Plan | undefined;
  private readonly revision: FixableRevision;

  /** `notFixed` gets the findings that are left, with the reasons. */
  constructor(
    given: FixableRevision,
    private readonly bodies: BodyFacts,
    private readonly notFixed: NotFixed[],
  ) {
    const { one, notFixed: staying } = withoutOwnCommits(given, bodies);
    notFixed.push(...staying);
    this.revision = one;
    const isRepair = one.broken.length > 0;
    this.tried = isRepair ? [] : one.fixable;
    if (!isRepair) return;
    const repaired = plan(one, bodies);
    this.repair = repaired.plan;
    notFixed.push(...repaired.notFixed);
  }

  /** Whether something is waiting to be proved together with what is already proved. */
  get isOpen(): boolean {
    return this.tried.length > 0;
  }

  /** What to prove next; undefined: nothing is left. */
  plan(): Plan | undefined {
    while (this.proved.length + this.tried.length > 0) {
      const { plan: planned, notFixed } = this.planOf(this.inOrder);
      if (planned) {
        this.tried = this.tried.filter(({ finding }) => !notFixed.some((one) => one.finding === finding));
        this.notFixed.push(...notFixed);
        return planned;
      }
      this.reject(notFixed.at(-1)?.reason ?? '');
    }
    return this.repair;
  }

  private planOf(inOrder: boolean): Planned {
    return plan({ ...this.revision, fixable: [...this.proved, ...this.tried], inOrder }, this.bodies);
  }

  accept(): void {
    this.provedInOrder = this.inOrder;
    this.proved = [...this.proved, ...this.tried];
    this.next();
  }

  /** `all`: whether the reason applies to the whole revision. */
  reject(reason: string, all = false): void {
    this.failed.set(this.key(), reason);
    if (!all && !this.inOrder && this.changesOrder()) {
      this.inOrder = true;
      return;
    }
    if (this.tried.length > 1 && !all) {
      const half = Math.ceil(this.tried.length / 2);
      this.waiting = [this.tried.slice(0, half), this.tried.slice(half), ...this.waiting];
      this.next();
      return;
    }
    const left = all
      ? [...this.proved, ...this.tried, ...this.waiting.flat()]
      : this.tried.length
        ? this.tried
        : this.proved.slice(-1);
    const findings = [...left.map(({ finding }) => finding), ...(this.repair?.fixed ?? [])];
    this.notFixed.push(...findings.map((finding) => ({ finding, reason })));
    if (this.repair) this.rejectWaiting(reason);
    this.repair = undefined;
    this.proved = this.proved.filter((one) => !left.includes(one));
    if (all) this.waiting = [];
    this.next();
  }

  /** Fixes that wait for the repair are impossible without it. */
  private rejectWaiting(reason: string): void {
    for (const [at, { finding, waits }] of this.notFixed.entries()) {
      if (waits && finding.revision === this.revision.revision.facts.revision) {
        this.notFixed[at] = { finding, reason: `what it waits for can't be repaired: ${reason}` };
      }
    }
  }

  /** Whether keeping the order would give another plan. */
  private changesOrder(): boolean {
    const [free, ordered] = [false, true].map((inOrder) =>
      this.planOf(inOrder)
        .plan?.phases.map(({ phase }) => phase)
        .join(),
    );
    return ordered !== undefined && ordered !== free;
  }

  private next(): void {
    this.inOrder = this.provedInOrder;
    [this.tried = [], ...this.waiting] = this.waiting;
    // A half without the other one, which is proved now, is what failed.
    const reason = this.tried.length > 0 ? this.failed.get(this.key()) : undefined;
    if (reason !== undefined) this.reject(reason);
  }

  private key(): string {
    const findings = [...this.proved, ...this.tried].map((one) => this.revision.fixable.indexOf(one));
    return `${findings.sort((one, other) => one - other)} ${this.inOrder}`;
  }
}
