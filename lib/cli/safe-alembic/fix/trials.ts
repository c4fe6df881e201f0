import type { ColumnFacts, Overlay, TrialFacts, TrialGroup } from '../../../contract/facts';
import { isUpgraded, namesTable, type Plan, type Unproved } from '../../../review';
import { scratchStart } from '../replay/review-revisions';
import { type Bench, overlayOf } from './bench';

type Reviewed = Plan['revision'];

/** Runs groups of revisions up, down and up again on rows. Returns the states, by the id of the last revision. */
export async function trial({ session, given, observation }: Bench, groups: readonly TrialGroup[], overlay: Overlay) {
  const found = new Map<string, TrialFacts>();
  await observation.observer.ask({ ask: 'try', groups, ...scratchStart(session, given), ...overlay }, (report) => {
    if (report.report === 'tried') found.set(report.revision, report.trial);
  });
  return found;
}

/** Trials of the original revisions, each run once. */
export class Originals {
  private readonly trials = new Map<string, TrialFacts>();
  private readonly emptied = new Map<string, { readonly tables: readonly string[]; readonly failure?: string }>();

  constructor(private readonly bench: Bench) {}

  /** Runs those that have not run yet. One that fails on rows runs again without those of the table that fails, and then without any. */
  async run(revisions: readonly Reviewed[]): Promise<void> {
    const left = revisions.filter(({ facts }) => !this.trials.has(facts.revision));
    for (const [id, facts] of await this.try(left)) this.trials.set(id, facts);
    await this.runWithout(left, tablesOfFailure);
    await this.runWithout(left, tablesOf);
  }

  /** Runs those that fail again, without rows of some tables. Those that still fail keep their first trial. */
  private async runWithout(
    revisions: readonly Reviewed[],
    tables: (one: Reviewed, trial: TrialFacts) => readonly string[],
  ): Promise<void> {
    const failed = revisions.filter((one) => {
      const emptied = tables(one, this.trial(one));
      return this.trial(one).failure !== undefined && this.group(one, []).tables.some((table) => emptied.includes(table));
    });
    for (const one of failed) {
      const trial = this.trial(one);
      const emptied = [...new Set([...this.withoutRows(one), ...tables(one, trial)])];
      this.emptied.set(one.facts.revision, { tables: emptied, failure: trial.failure });
    }
    for (const [id, facts] of await this.try(failed)) {
      if (facts.failure === undefined) this.trials.set(id, facts);
      else this.emptied.delete(id);
    }
  }

  trial({ facts }: Reviewed): TrialFacts {
    return this.trials.get(facts.revision) ?? { failure: 'it was not tried' };
  }

  fails(revision: Reviewed): boolean {
    return !isUpgraded(this.trial(revision));
  }

  /** Why only its upgrade can be compared; undefined: its downgrade can be, too. */
  whyUpgradeOnly(revision: Reviewed): string | undefined {
    return this.trial(revision).failure;
  }

  /** The group that runs instead, on the same rows. */
  group(revision: Reviewed, revisions: readonly string[]): TrialGroup {
    const without = this.withoutRows(revision);
    return { revisions, tables: tablesOf(revision).filter((table) => !without.includes(table)), after: revision.facts.after };
  }

  withoutRows(revision: Reviewed): readonly string[] {
    return (
      this.emptied.get(revision.facts.revision)?.tables ?? tablesOf(revision).filter((table) => requiresMore(revision, table))
    );
  }

  /** Why statements that write rows can't be proved; undefined: they can. */
  whyNotFilled(revision: Reviewed, fills: string): Unproved | undefined {
    const table = this.withoutRows(revision).find((one) => namesTable(fills, one));
    if (table === undefined) return undefined;
    const failure = this.emptied.get(revision.facts.revision)?.failure;
    const where = failure === undefined ? ` of ${table}` : `: ${failure}`;
    return { reason: `it writes rows, and the revision itself fails on rows${where}`, emptied: table };
  }

  private async try(revisions: readonly Reviewed[]): Promise<ReadonlyMap<string, TrialFacts>> {
    if (revisions.length === 0) return new Map();
    const groups = revisions.map((one) => this.group(one, [one.facts.revision]));
    return trial(this.bench, groups, overlayOf(this.bench));
  }
}

/** The tables in the statement that failed in a trial. */
function tablesOfFailure(one: Reviewed, { statement = '' }: TrialFacts): readonly string[] {
  return tablesOf(one).filter((table) => namesTable(statement, table));
}

function tablesOf({ facts }: Reviewed): readonly string[] {
  return Object.keys(facts.before);
}

/** Whether a table gains a column that has no value for existing rows. */
function requiresMore({ facts, upgrade }: Reviewed, table: string): boolean {
  const hasValue = ({ notNull, identity, generated, ...column }: ColumnFacts) =>
    !notNull || identity || generated || column.default !== undefined;
  const required = facts.after[table]?.columns.filter((column) => !hasValue(column)).map(({ name }) => name) ?? [];
  return upgrade.steps.some(({ action }) => {
    return (
      action.does === 'add column' && action.table === table && required.includes(action.column.name) && action.column.notNull
    );
  });
}
