import type { BodyFacts } from '../../../contract/facts';
import { type FixableRevision, type NotFixed, type Plan, plan, type Unproved } from '../../../review';
import type { Attempt } from './attempt';

/** A repair has no parts: it is proved, or nothing is. */
export class Repair implements Attempt {
  readonly needsReview = false;
  isProved = false;
  private repair: Plan | undefined;

  constructor(
    private readonly revision: FixableRevision,
    bodies: BodyFacts,
    private readonly notFixed: NotFixed[],
  ) {
    const planned = plan(revision, bodies);
    this.repair = planned.plan;
    notFixed.push(...planned.notFixed);
  }

  plan(): Plan | undefined {
    return this.repair;
  }

  accept(): void {
    this.isProved = true;
  }

  reject({ reason }: Unproved): void {
    this.isProved = false;
    this.notFixed.push(...(this.repair?.fixed ?? []).map((finding) => ({ finding, reason })));
    // Fixes that wait for the repair are impossible without it.
    for (const [at, { finding, waits }] of this.notFixed.entries()) {
      if (waits && finding.revision === this.revision.revision.facts.revision) {
        this.notFixed[at] = { finding, reason: `it depends on a fix that failed: ${reason}` };
      }
    }
    this.repair = undefined;
  }
}
