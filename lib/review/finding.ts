import type { GraphFacts, MeasuredFacts, MeasuredTable, RevisionFacts } from '../contract/facts';

/** A `note` is a finding about a lock on a table that is small in production. */
export const SEVERITIES = ['error', 'warning', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One problem that a revision, the graph or env.py would cause in production. */
export interface Finding {
  /** Id of the rule, such as `index-not-concurrent`: a section of docs/review.md, and what an acknowledgement names. */
  readonly rule: string;
  readonly severity: Severity;
  /** Absent: it is about env.py, the graph, or models and migrations. */
  readonly revision?: string;
  /** Relative to the project's folder. */
  readonly file: string;
  /**
   * 1 if no single line causes it.
   *
   * @asType integer
   * @minimum 1
   */
  readonly line: number;
  /** Which function of the revision. Absent: both, or neither. */
  readonly direction?: 'upgrade' | 'downgrade';
  /** What is wrong and what it does to production, in one or two sentences: which lock, on which table, who waits. */
  readonly message: string;
  /** The safe form as Alembic code. Absent: there is none. */
  readonly instead?: string;
  /** Whether the replay showed it, or the source and its SQL. */
  readonly seen: 'replay' | 'source';
  /** The statement that causes it. */
  readonly statement?: string;
  /** What it costs on production's tables. Absent: without statistics, or they do not have the table. */
  readonly size?: FindingSize;
  /** Of the rule `budget`: what is over it. */
  readonly budget?: OverBudget;
  /** The reason, when the revision's file acknowledges the rule. */
  readonly acknowledged?: string;
}

/** Estimated from the statistics of production. */
export interface FindingSize {
  readonly tables: readonly string[];
  readonly rows: number;
  /** Of the tables, without indexes. */
  readonly bytes: number;
  /** Under the lock: a range, and the most likely value. Absent: unknown. */
  readonly seconds?: { readonly low: number; readonly likely: number; readonly high: number };
  /** Disk space that it needs beyond today's, at its peak. */
  readonly extraBytes: number;
  /** Where the number of rows comes from, and when the statistics were taken. */
  readonly basis: string;
  /** What `--measure` found. Absent: it was not measured. */
  readonly measured?: Pick<MeasuredTable, 'rows'> & Wait;
  /** All tables are below the setting `smallTable`, so the finding is a note. */
  readonly small?: true;
}

/** A wait that `--measure` found, for as long as a lock was held, or as a read or a write waited. */
export interface Wait {
  /** Measured. */
  readonly milliseconds: number;
  /** Scaled to the rows of production and to the speed of its server. */
  readonly inProduction: number;
}

/** A budget of the settings, and what an upgrade does to a table. */
export interface OverBudget {
  readonly name: 'writesBlocked' | 'readsBlocked' | 'rewrites';
  readonly table: string;
  /** Absent for `rewrites`, as the next two. */
  readonly allowedMilliseconds?: number;
  readonly milliseconds?: number;
  /** `measured`: on this machine, scaled to production; `estimated`: from the statistics alone. */
  readonly basis?: 'measured' | 'estimated';
}

/** What `--measure` found of a revision. */
export interface Measured extends Omit<MeasuredFacts, 'revision' | 'tables'> {
  readonly tables?: readonly MeasuredWaits[];
}

export interface MeasuredWaits extends MeasuredTable {
  /** Absent: no lock blocked reads, or the table accepted no generated rows. */
  readonly readsBlocked?: Wait;
  /** Absent: nothing blocked writes, or the table accepted no generated rows. */
  readonly writesBlocked?: Wait;
}

/** What a review could not check. The review then fails. */
export interface NotChecked {
  readonly code: /** There is no revision in the project. */
    | 'no_revisions'
    /** env.py failed, or the project can't be loaded. */
    | 'nothing_replayed'
    /** Some revisions could not be run. */
    | 'not_replayed';
  readonly message: string;
  readonly next: string;
}

/** What `--fix` did. */
export interface Fixes {
  /** Whether the files were written; a dry run only shows them. */
  readonly written: boolean;
  /** Findings whose statements were rewritten, each proved on the scratch database. */
  readonly fixed: readonly Finding[];
  /** Those that the fixes leave. */
  readonly notFixed: readonly { readonly finding: Finding; readonly reason: string }[];
  /** Tables without rows in the proof, because a revision itself fails on their rows. Absent: there are none. */
  readonly withoutRows?: readonly string[];
  /** Files whose upgrade alone was proved, because the revision itself can't be reverted and applied again. Absent: there are none. */
  readonly upgradeOnly?: readonly { readonly file: string; readonly reason: string }[];
  /** What the proof does not show, such as another kind of database on which the files do not run. Absent: there is nothing. */
  readonly caveats?: readonly string[];
  /** The changed and the new files. */
  readonly files: readonly { readonly file: string; readonly revision: string; readonly diff: string; readonly isNew: boolean }[];
  /** The functions of revisions that belong to the next release, as Python. The files have them in a comment. Absent: there are none. */
  readonly later?: readonly { readonly file: string; readonly code: string }[];
  /** Why one of the project's post_write_hooks failed. */
  readonly hookFailure?: string;
}

/** The result of a review, as `--json` prints it (schema/review.json). */
export interface Review {
  readonly review: 1;
  /** Of the package. */
  readonly version: string;
  /** Version of the server that replayed the revisions, such as `18.4`. Absent: nothing was replayed. */
  readonly postgres?: string;
  /** Whether squawk also ran: it has no binary for some platforms. */
  readonly squawk: boolean;
  readonly graph: GraphFacts;
  /** The reviewed revisions, in the order in which they are applied. */
  readonly revisions: readonly ReviewedRevision[];
  /** Unacknowledged before acknowledged, errors before warnings, then by revision and line. */
  readonly findings: readonly Finding[];
  readonly summary: {
    readonly revisions: number;
    readonly replayed: number;
    /** Earlier revisions whose result came from the cache. Absent: all were run. */
    readonly restored?: number;
    /** Unacknowledged ones. */
    readonly errors: number;
    readonly warnings: number;
    /** Absent: without statistics. */
    readonly notes?: number;
    readonly acknowledged: number;
    readonly milliseconds: number;
  };
  /** What was rewritten; the findings are those that are left, or all after a dry run. Absent: without `--fix`. */
  readonly fixes?: Fixes;
  /** What was not checked. Absent: everything was checked. */
  readonly notChecked?: NotChecked;
  /** Why models and migrations were not compared. Absent: they were. */
  readonly notCompared?: string;
  /** Whether something at or above `--fail-on` is not acknowledged, or something was not checked. */
  readonly failed: boolean;
}

export interface ReviewedRevision
  extends Pick<RevisionFacts, 'revision' | 'message' | 'file' | 'downRevisions' | 'upgrade' | 'downgrade'> {
  /** Absent: without `--measure`, or it changes no table that production has. */
  readonly measured?: Measured;
  /** Why it was judged from source and SQL alone. Absent: it was replayed. */
  readonly notReplayed?: string;
}
