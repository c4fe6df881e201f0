/* What a replay observed. */
import type { SchemaChange, TableFacts } from './catalog';
import type { GraphRevision } from './graph';
import type { SourceFacts } from './source';

/** Facts from replaying one revision and from its file. */
export interface RevisionFacts extends GraphRevision {
  readonly source: SourceFacts;
  readonly upgrade: DirectionFacts;
  readonly downgrade: DirectionFacts;
  /** Earlier revisions that could not be applied, so what they create is missing. @default - none */
  readonly unapplied?: readonly string[];
  /** How the schema after upgrade and downgrade differs from the one before. Absent: the round trip was not made. */
  readonly notRestored?: SchemaChange;
  /** The upgrade after the downgrade. Absent: the round trip was not made. */
  readonly again?: { readonly outcome: 'done' | 'failed'; readonly failure?: StatementFailure; readonly differs?: SchemaChange };
  /** Schema changes of the upgrade. Absent: it was not replayed. */
  readonly changes?: SchemaChange;
  /** Tables that exist before or after and that the upgrade or the downgrade changed, locked or refers to, by name. */
  readonly before: Readonly<Record<string, TableFacts>>;
  readonly after: Readonly<Record<string, TableFacts>>;
  /** The enums of columns in `before`, such as `ENUM ('good', 'bad')`, by name. Absent: none. */
  readonly enums?: Readonly<Record<string, string>>;
  /** The same round trip with rows in the affected tables. Absent: it was not made (autocommit, or no table for rows). */
  readonly rows?: RowFacts;
}

/** One function of a revision, run. */
export interface DirectionFacts {
  readonly outcome: 'done' | 'failed' | 'not_run';
  /** Why it was not run. */
  readonly reason?: string;
  readonly failure?: StatementFailure;
  /** Executed statements, in order; if it was not run, those that Alembic renders offline, without locks. */
  readonly statements: readonly Statement[];
  /** Whether it left Alembic's transaction: an autocommit block, a COMMIT, a commit of the connection. */
  readonly leftTransaction: boolean;
  /** Number of statements that are not reported. */
  readonly statementsLeftOut: number;
}

export interface StatementFailure {
  readonly message: string;
  readonly sqlState?: string;
  readonly statement?: string;
  /** Line of the revision's file. */
  readonly line?: number;
  /** Whether a `raise` or `assert` in the revision's file caused it. */
  readonly ownRaise?: boolean;
  /** Whether it was ended because it ran no statement for too long: it waits for something outside of the database. */
  readonly waited?: boolean;
}

export interface Statement {
  /** As it was sent, with the driver's placeholders. */
  readonly sql: string;
  /** An UPDATE with the values of its parameters in the text. Absent: it has none, or they can't be written as SQL. */
  readonly withValues?: string;
  /** Line of the revision's file that caused it; 0: unknown. */
  readonly line: number;
  /** The line of the upgrade or the downgrade that called the function of the file which has that line. Absent: none did. */
  readonly calledAt?: number;
  /** Which transaction of the function it ran in, counted from 0; -1: autocommit; -2: it ran on another connection. */
  readonly transaction: number;
  readonly milliseconds: number;
  /** Rows that a SELECT, INSERT, UPDATE or DELETE affected; -1: unknown. */
  readonly rowCount: number;
  /** New locks on objects that existed before the revision. In autocommit and on another connection, none are visible. */
  readonly locks: readonly Lock[];
  /** Tables and indexes that existed before the revision and that it rewrote. */
  readonly rewrites: readonly string[];
}

export interface Lock {
  /** Name of a table, index, view or sequence. */
  readonly relation: string;
  /** The table that it belongs to; the relation itself if it is a table. */
  readonly table: string;
  /** As in pg_locks, such as `AccessExclusiveLock`. */
  readonly mode: string;
}

/** What happened to rows that were in the tables before the upgrade. */
export interface RowFacts {
  /** Tables that got rows. */
  readonly tables: readonly string[];
  /** The upgrade failed with rows but succeeds with empty tables. */
  readonly upgradeFailure?: StatementFailure;
  readonly downgradeFailure?: StatementFailure;
  /** Tables that lost rows in the upgrade, although the table stayed. */
  readonly deleted: readonly string[];
  /** Columns, as `table.column`, that exist before and after the upgrade with different values. */
  readonly changed: readonly string[];
  /** Columns, as `table.column`, and tables that upgrade and downgrade restored without their data. */
  readonly notBroughtBack: readonly string[];
}

/** The comparison of models and migrations, at head. */
export interface DriftFacts {
  /** The operations that Alembic's autogenerate would write, one per line. */
  readonly operations: readonly string[];
  /** Further differences in the catalogs: the migrated database compared with one that the models created. */
  readonly catalog: SchemaChange;
  /** What `create --keep-dropped` has set aside: columns, and whole tables. @default - none */
  readonly setAside?: readonly { readonly table: string; readonly column?: string }[];
  /** What revisions of earlier releases left to this one, which counts as done. @default - nothing */
  readonly due?: readonly DueFacts[];
  /** Why it could not be compared, such as no target_metadata. */
  readonly reason?: string;
}

/** What a revision left to the next release: tables and columns that it drops, or that get NOT NULL. */
export interface DueFacts {
  readonly file: string;
  readonly dropped: readonly (readonly [string, string])[];
  readonly required: readonly (readonly [string, string])[];
}

/** How models and migrations differ, in a form in which equal differences are equal. */
export interface StandingFacts {
  /** The texts of each operation of autogenerate, and of its reverse. */
  readonly upgrade_ops: readonly (readonly string[])[];
  readonly downgrade_ops: readonly (readonly string[])[];
  /** The migrated database compared with one that the models created, with what autogenerate has found. */
  readonly catalog: SchemaChange;
}
