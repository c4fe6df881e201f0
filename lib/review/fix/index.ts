import type { BodyFacts } from '../../contract/facts';
import type { Finding, Review } from '../finding';
import type { ReviewInput } from '../input';
import { type Change, understandChange } from '../revision/change';
import type { Reviewed, Step } from '../revision/reviewed';
import { FORMS } from './forms';
import { type Fixable, type NotFixed, planOf } from './plan';
import { nameConstraints } from './unnamed';

export type { NotFixed, Plan } from './plan';
export { whyDifferent, whyNoBetter, whyNotUndone } from './proof';
export { seriesOf } from './series';

/** What of a review can be rewritten, before it is proved. */
export interface Draft {
  readonly fixable: readonly {
    readonly revision: Reviewed;
    readonly fixable: readonly Fixable[];
    /** Of `drop_constraint(None)` in its downgrade. */
    readonly unnamed: readonly Finding[];
  }[];
  readonly notFixed: readonly NotFixed[];
}

/** `whyNot`: why a revision's file may not be changed; undefined: it may. */
export function draftFixes(review: Review, input: ReviewInput, whyNot: (revision: string) => string | undefined): Draft {
  const change: Change = understandChange(input);
  const notFixed: NotFixed[] = [];
  const found = new Map<Reviewed, { fixable: Fixable[]; unnamed: Finding[] }>();
  for (const finding of review.findings.filter(({ acknowledged }) => acknowledged === undefined)) {
    const revision = change.revisions.find(({ facts }) => facts.revision === finding.revision);
    const leave = (reason: string) => notFixed.push({ finding, reason });
    const write = FORMS[finding.rule];
    const isUnnamed = finding.rule === 'drop-constraint-none' && finding.direction === 'downgrade';
    if (!revision || !(isUnnamed || (write && finding.direction !== 'downgrade'))) {
      leave(finding.instead === undefined ? 'it needs your decision' : 'there is no automatic fix: write it by hand, as shown');
      continue;
    }
    if (finding.severity === 'note') {
      leave('its table is small, so its lock is short');
      continue;
    }
    const locked = whyNot(revision.facts.revision);
    if (locked !== undefined) {
      leave(locked);
      continue;
    }
    const own = found.get(revision) ?? { fixable: [], unnamed: [] };
    if (isUnnamed || !write) {
      own.unnamed.push(finding);
      found.set(revision, own);
      continue;
    }
    const steps = revision.upgrade.steps.filter((step) => isAt(step, finding));
    const forms = steps.flatMap((step) => {
      const form = write(step, revision);
      return form ? [{ step, form }] : [];
    });
    const [first, ...more] = forms;
    if (!first || more.length) leave(first ? 'several statements stand on its line' : 'its statement was not found');
    else if ('reason' in first.form) leave(first.form.reason);
    else {
      own.fixable.push({ finding, step: first.step, form: first.form });
      found.set(revision, own);
    }
  }
  return { fixable: [...found].map(([revision, own]) => ({ revision, ...own })), notFixed };
}

function isAt({ place }: Step, { line, statement, direction }: Review['findings'][number]): boolean {
  return place.line === line && place.statement === statement && (direction ?? 'upgrade') === place.direction;
}

/** The plan for one revision, if there is one, and why parts of it are left. */
export function plan({ revision, fixable, unnamed }: Draft['fixable'][number], bodies: BodyFacts): ReturnType<typeof planOf> {
  if (!unnamed.length) return planOf(revision, fixable, bodies);
  const named = nameConstraints(revision, unnamed, bodies);
  const reason = named.plan
    ? 'its downgrade does not run yet: run review --fix again once it does'
    : 'nothing can be proved, because its downgrade does not run to its end';
  return { ...named, notFixed: [...named.notFixed, ...fixable.map(({ finding }) => ({ finding, reason }))] };
}
