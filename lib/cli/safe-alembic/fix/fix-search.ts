import type { BodyFacts } from '../../../contract/facts';
import { blame, type FixableRevision, type NotFixed, type Plan, type Planned, plan, type Unproved } from '../../../review';
import type { Attempt } from './attempt';
import { Failures, type Fixable } from './failures';

/** The most plans of one revision that are tried, for so many fixes. */
export function mostTrials(fixes: number): number {
  return 10 + 2 * fixes;
}

/** So many failures later, each table's fixes are tried apart. */
const FAILURES_OF_ALL = 3;

/**
 * The fixes of one revision: all of them at first, and then without those that a failure is about. If a failure names none, in
 * halves. Statements may change their order, so that few revisions are needed, unless that can't be proved.
 */
export class FixSearch implements Attempt {
  isProved = false;
  needsReview = false;
  private proved: readonly Fixable[] = [];
  private tried: readonly Fixable[];
  /** Groups to try after it. */
  private waiting: readonly (readonly Fixable[])[] = [];
  /** `shorter`: everything is proved in order, and a shorter series is tried. */
  private order: 'free' | 'kept' | 'shorter' = 'free';
  private isDivided = false;
  private trials = 0;
  private readonly failures: Failures;

  constructor(
    private readonly revision: FixableRevision,
    private readonly bodies: BodyFacts,
    private readonly notFixed: NotFixed[],
  ) {
    this.tried = revision.fixable;
    this.failures = new Failures(revision.fixable);
  }

  plan(): Plan | undefined {
    while (this.proved.length + this.tried.length > 0) {
      const { plan: planned, notFixed } = this.planOf(this.keepsOrder);
      if (planned) {
        this.tried = this.tried.filter(({ finding }) => !notFixed.some((one) => one.finding === finding));
        this.notFixed.push(...notFixed);
        return planned;
      }
      this.fail({ reason: notFixed.at(-1)?.reason ?? '' });
    }
    return undefined;
  }

  accept(): void {
    this.trials++;
    this.proved = this.current;
    this.isProved = true;
    if (this.order === 'shorter') {
      this.order = 'free';
      return;
    }
    this.next();
    if (this.tried.length > 0) this.isProved = false;
    else if (this.keepsOrder && this.mayBeShorter()) [this.order, this.isProved] = ['shorter', false];
  }

  reject(unproved: Unproved, all = false): void {
    this.trials++;
    this.isProved = false;
    if (all) this.leave([...this.current, ...this.waiting.flat()], unproved.reason);
    else if (this.order === 'shorter') {
      this.failures.add(this.current, false, unproved.reason);
      [this.order, this.isProved] = ['kept', true];
    } else this.fail(unproved);
  }

  private get current(): readonly Fixable[] {
    return [...this.proved, ...this.tried];
  }

  private get keepsOrder(): boolean {
    return this.order === 'kept';
  }

  private planOf(inOrder: boolean): Planned {
    return plan({ ...this.revision, fixable: this.current, inOrder }, this.bodies);
  }

  private fail(unproved: Unproved): void {
    const { reason } = unproved;
    this.failures.add(this.current, this.keepsOrder, reason);
    // They were proved alone, and are not with the other revisions.
    if (this.tried.length === 0) [this.tried, this.proved] = [this.proved, []];
    if (this.trials >= mostTrials(this.revision.fixable.length)) {
      this.leave([...this.tried, ...this.waiting.flat()], tooMany(this.trials, reason));
    } else if (!this.keepsOrder && this.changesOrder()) this.order = 'kept';
    else if (this.tried.length === 1) this.giveUp(this.tried, reason);
    else this.divide(unproved);
  }

  /** Leaves out what the failure is about. */
  private divide(unproved: Unproved): void {
    const { fixable: found, isCertain } = blame(this.tried, unproved);
    const rest = this.tried.filter((one) => !found.includes(one));
    const tables = byTable(this.tried);
    const isNamed = found.length > 0 && rest.length > 0;
    if (found.length > 0 && isCertain) this.giveUp(found, unproved.reason);
    else if (tables.length > 1 && !this.isDivided && (!isNamed || this.failures.count >= FAILURES_OF_ALL)) {
      this.isDivided = true;
      this.tryNext(...tables);
    } else if (isNamed) {
      this.tried = rest;
      this.waiting = [...this.waiting, found];
    } else {
      this.needsReview ||= !!unproved.seenInReview;
      const half = Math.ceil(this.tried.length / 2);
      this.tryNext(this.tried.slice(0, half), this.tried.slice(half));
    }
  }

  private tryNext(...groups: (readonly Fixable[])[]): void {
    this.waiting = [...groups, ...this.waiting];
    this.next();
  }

  /** Gives up fixes that fail, and the others of a kind if several of that kind failed for the same reason. */
  private giveUp(failed: readonly Fixable[], reason: string): void {
    const others = [...this.tried, ...this.waiting.flat()].filter((one) => !failed.includes(one));
    const { hopeless, why } = this.failures.ofKind(failed, reason, others);
    this.notFixed.push(...hopeless.map(({ finding }) => ({ finding, reason: why })));
    this.leave(failed, reason, hopeless);
  }

  /** Gives up fixes. `more`: those whose reason is listed already. */
  private leave(left: readonly Fixable[], reason: string, more: readonly Fixable[] = []): void {
    this.notFixed.push(...left.map(({ finding }) => ({ finding, reason })));
    const stays = (one: Fixable) => !left.includes(one) && !more.includes(one);
    this.proved = this.proved.filter(stays);
    this.tried = this.tried.filter(stays);
    this.waiting = this.waiting.map((group) => group.filter(stays)).filter((group) => group.length > 0);
    if (this.tried.length === 0) this.next();
  }

  /** Whether a series in another order was not tried, and would have fewer revisions. */
  private mayBeShorter(): boolean {
    return this.failures.reason(this.current, false) === undefined && !!this.planOf(false).plan && this.changesOrder();
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
    [this.tried = [], ...this.waiting] = this.waiting;
    // A group without the other ones, which are proved now, is what failed.
    const reason = this.tried.length > 0 ? this.failures.reason(this.current, this.keepsOrder) : undefined;
    if (reason !== undefined) this.fail({ reason });
  }
}

/** Fixes by the table that they are about. */
function byTable(fixable: readonly Fixable[]): readonly (readonly Fixable[])[] {
  const groups = new Map<string, Fixable[]>();
  for (const one of fixable) {
    const table = 'table' in one.step.action ? one.step.action.table : '';
    groups.set(table, [...(groups.get(table) ?? []), one]);
  }
  return [...groups.values()];
}

function tooMany(trials: number, reason: string): string {
  return `it is not proved after ${trials} trials of its revision, the last one because ${reason}: write it by hand, as shown, or fix the others first`;
}
