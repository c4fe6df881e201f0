/*
 * The wire between the observer (Python, lambda/migrate/cdk_alembic_local) and this side: what is asked about a project, and the facts
 * that come back. Python reports facts; nothing here judges them. This file imports nothing but types.
 *
 * The observer reads one JSON document a line on standard input and writes one a line on its own copy of standard output; what the
 * backend prints goes to standard error.
 */
import type { MigrateAnswer, MigrateFailure } from './answer';
import type { MigrateRequest } from './request';

/** The first line that the observer gets. */
export interface Hello {
  /**
   * The observer's own modules by path, such as `cdk_alembic_local/observer.py`: the backend's Python may run where this package is
   * not installed. lambda/migrate/cdk_alembic_local/bootstrap.py imports them from memory and calls `main(hello)` of that one.
   */
  readonly code: Readonly<Record<string, string>>;
  /** The Alembic project's folder, relative to the directory the observer is started in. */
  readonly project: string;
  /** Variables to set before the backend is imported. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Whether each ask that reaches a database says where that is ({@link Led}). Until then its server may still be starting.
   * @default false - the backend's own database
   */
  readonly scratch?: boolean;
}

/** What is added to each ask but `graph` if there is a scratch database. */
export interface Led {
  /** Where every connection to PostgreSQL that the backend opens is led, whatever `env.py` says, as a URL with the scheme `postgresql`. */
  readonly scratch?: string;
}

/** What is asked, one after the other. Each is answered by any number of {@link Report}s of which the last is `end` or `failed`. */
export type Ask =
  /** The revisions as the files say, without running them. Works without a database, also on a project that Alembic can't load. */
  | { readonly ask: 'graph' }
  /** A request to the runner, on the project's own database or on the scratch database. */
  | { readonly ask: 'invoke'; readonly request: MigrateRequest }
  /** Replays revisions on the scratch database. */
  | {
      readonly ask: 'observe';
      /** Ids of the revisions to look at; the ones they stand on are only applied. */
      readonly revisions: readonly string[];
      /** SQL to start from (plain text of `pg_dump`, with a version table or not). @default - an empty database */
      readonly baseline?: string;
      /** Whether models and migrations are compared at head. */
      readonly drift: boolean;
      /** Whether a scratch database that holds something may be emptied. @default false */
      readonly overwrite?: boolean;
    }
  /** Brings the scratch database to head and writes a revision. */
  | {
      readonly ask: 'create';
      readonly message: string;
      /** Whether a revision without operations is written, and models are not looked at. */
      readonly empty: boolean;
      readonly baseline?: string;
      readonly overwrite?: boolean;
    };

export type Report =
  | { readonly report: 'graph'; readonly graph: GraphFacts }
  | { readonly report: 'environment'; readonly environment: EnvironmentFacts }
  /** Sent when a revision is begun, so that somebody can watch. */
  | { readonly report: 'progress'; readonly done: number; readonly total: number; readonly revision: string }
  | { readonly report: 'revision'; readonly revision: RevisionFacts }
  | { readonly report: 'drift'; readonly drift: DriftFacts }
  | { readonly report: 'answer'; readonly answer: MigrateAnswer }
  | { readonly report: 'created'; readonly revision: string; readonly file: string }
  | { readonly report: 'end' }
  /** `error` is the runner's failure (codes of the contract), or one of {@link LOCAL_CODES}. */
  | { readonly report: 'failed'; readonly error: MigrateFailure['error'] | LocalFailure };

export const LOCAL_CODES = [
  /** The scratch database holds something and `overwrite` was not given. */
  'scratch_not_empty',
  /** `create` found no difference between models and migrations. */
  'nothing_to_create',
  /** `create` has no models to compare with: env.py gives Alembic no target_metadata. */
  'no_target_metadata',
  /** Alembic, env.py or a hook of theirs has failed while a revision was written. */
  'create_failed',
  /** The baseline could not be loaded. */
  'baseline_failed',
  /** `env.py` does not reach PostgreSQL through SQLAlchemy, so that it can't be led to the scratch database. */
  'scratch_not_reached',
  /** The backend's Python is older than 3.11. */
  'python_too_old',
  /** The backend's Python can't import Alembic. */
  'alembic_missing',
] as const;

export interface LocalFailure {
  readonly code: (typeof LOCAL_CODES)[number];
  readonly message: string;
  readonly next: string;
}

export interface GraphFacts {
  /** In the order in which they are applied; when Alembic can't load the scripts, by file name. */
  readonly revisions: readonly GraphRevision[];
  readonly heads: readonly string[];
  /** Why Alembic can't load the scripts, in its words: a missing down_revision, a cycle, an id that two files have. */
  readonly problem?: string;
}

export interface GraphRevision {
  readonly revision: string;
  readonly message: string;
  /** Relative to the project's folder, with `/`. */
  readonly file: string;
  readonly downRevisions: readonly string[];
  readonly dependsOn: readonly string[];
  readonly branchLabels: readonly string[];
}

/** How `env.py` treats transactions, seen with one revision on the scratch database. */
export interface EnvironmentFacts {
  /** Whether bare Alembic (`alembic upgrade`) has kept what it ran. */
  readonly keeps: boolean;
  /** Whether the connection was in a transaction already when env.py called `context.configure()`. */
  readonly outerTransaction: boolean;
  /** Where env.py is, relative to the project's folder. */
  readonly file: string;
  /** What bare Alembic failed with, or why no revision could be run at all. */
  readonly failure?: string;
  /** Version of the scratch server, such as `18.4`. */
  readonly postgres: string;
}

/** What replaying one revision has shown, and what its file says. */
export interface RevisionFacts extends GraphRevision {
  readonly source: SourceFacts;
  readonly upgrade: DirectionFacts;
  readonly downgrade: DirectionFacts;
  /** What differs from the schema before the upgrade after upgrade and downgrade. Absent: the trip was not made. */
  readonly notRestored?: SchemaChange;
  /** The upgrade after the downgrade. Absent: the trip was not made. */
  readonly again?: { readonly outcome: 'done' | 'failed'; readonly failure?: StatementFailure; readonly differs?: SchemaChange };
  /** What the upgrade did to the schema. Absent: it was not replayed. */
  readonly changes?: SchemaChange;
  /** Tables that exist before or after and that the upgrade or the downgrade changed, locked or refers to, by name. */
  readonly before: Readonly<Record<string, TableFacts>>;
  readonly after: Readonly<Record<string, TableFacts>>;
  /** The same trip with rows in the tables concerned. Absent: it was not made (autocommit, or nothing to put rows into). */
  readonly rows?: RowFacts;
}

/** One function of a revision, run. */
export interface DirectionFacts {
  readonly outcome: 'done' | 'failed' | 'not_run';
  /** Why it was not run. */
  readonly reason?: string;
  readonly failure?: StatementFailure;
  /** All that was executed, in order; when it was not run, what Alembic renders offline, without locks. */
  readonly statements: readonly Statement[];
  /** Whether it left Alembic's transaction: an autocommit block, a COMMIT, a commit of the connection. */
  readonly leftTransaction: boolean;
  /** How many statements more there were than are reported. */
  readonly statementsLeftOut: number;
}

export interface StatementFailure {
  readonly message: string;
  readonly sqlState?: string;
  readonly statement?: string;
  /** Line of the revision's file. */
  readonly line?: number;
}

export interface Statement {
  /** As it was sent, with the driver's placeholders. */
  readonly sql: string;
  /** Line of the revision's file that caused it; 0: not known. */
  readonly line: number;
  /** Which transaction of the function it ran in, counted from 0; -1: autocommit. */
  readonly transaction: number;
  readonly milliseconds: number;
  /** Rows that a SELECT, INSERT, UPDATE or DELETE touched; -1: not known. */
  readonly rowCount: number;
  /** Locks that it took and that were not held before, on what existed before the revision. In autocommit: none can be seen. */
  readonly locks: readonly Lock[];
  /** Tables and indexes that existed before the revision and whose file it replaced. */
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

/** Entries are `<kind> <name>` and how PostgreSQL defines them, such as `column users.email`: `text NOT NULL`. */
export interface SchemaChange {
  readonly added: Readonly<Record<string, string>>;
  readonly removed: Readonly<Record<string, string>>;
  /** Before and after. */
  readonly changed: Readonly<Record<string, readonly [string, string]>>;
}

/** Names are without the schema where it is `public`. */
export interface TableFacts {
  /** Names of its direct partitions. Absent: it is not partitioned. */
  readonly partitions?: readonly string[];
  readonly columns: readonly ColumnFacts[];
  readonly constraints: readonly ConstraintFacts[];
  readonly indexes: readonly IndexFacts[];
}

export interface ColumnFacts {
  readonly name: string;
  /** As `format_type` gives it, such as `character varying(255)`. */
  readonly type: string;
  readonly notNull: boolean;
  readonly default?: string;
  readonly identity: boolean;
  readonly generated: boolean;
}

export interface ConstraintFacts {
  readonly name: string;
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude' | 'not null';
  /** As `pg_get_constraintdef` gives it. */
  readonly definition: string;
  readonly columns: readonly string[];
  readonly validated: boolean;
  /** Of a foreign key. */
  readonly references?: { readonly table: string; readonly columns: readonly string[] };
}

export interface IndexFacts {
  readonly name: string;
  /** As `pg_get_indexdef` gives it. */
  readonly definition: string;
  /** Columns in order; an expression is null. */
  readonly columns: readonly (string | null)[];
  readonly unique: boolean;
  readonly valid: boolean;
  readonly partial: boolean;
}

/** What became of rows that stood in the tables before the upgrade. */
export interface RowFacts {
  /** Tables that got rows. */
  readonly tables: readonly string[];
  /** The upgrade failed on rows and succeeds on empty tables. */
  readonly upgradeFailure?: StatementFailure;
  readonly downgradeFailure?: StatementFailure;
  /** Tables whose rows became fewer in the upgrade, though the table stayed. */
  readonly deleted: readonly string[];
  /** Columns, as `table.column`, that are there before and after the upgrade and hold other values. */
  readonly changed: readonly string[];
  /** Columns, as `table.column`, and tables that are back after upgrade and downgrade without what they held. */
  readonly notBroughtBack: readonly string[];
}

/** Models against migrations, at head. */
export interface DriftFacts {
  /** What Alembic's autogenerate would write, an operation a line. */
  readonly operations: readonly string[];
  /** What the catalog shows besides: the migrated database as `removed` and `added` against one that the models made. */
  readonly catalog: SchemaChange;
  /** Why it could not be compared, such as no target_metadata. */
  readonly reason?: string;
}

/** What the file of a revision says, read without running it. */
export interface SourceFacts {
  /** First line of its docstring. */
  readonly description: string;
  readonly acknowledgements: readonly Acknowledgement[];
  /** Null: the file has no such function. */
  readonly upgrade: FunctionFacts | null;
  readonly downgrade: FunctionFacts | null;
  /** Modules imported anywhere in the file, such as `app.models`. */
  readonly imports: readonly { readonly module: string; readonly line: number; readonly ownProject: boolean }[];
  /** What the upgrade does to the database, in its order: lib/data-loss judges it. */
  readonly steps: readonly UpgradeStep[];
}

/** A step of an upgrade, as lambda/migrate/cdk_alembic_local/upgrade_sql reads it from the source. */
export interface UpgradeStep {
  /** Operations of Alembic are written out as SQL; {@link UNKNOWN_VALUE} stands for what is not known. */
  readonly sql?: string;
  /** In place of `sql`: what can't be read, such as `SQL`. */
  readonly unread?: string;
  /** In the revision's file. */
  readonly line: number;
  /** Whether the lines of `sql` are lines of the file, from `line` on. */
  readonly spread: boolean;
  /** Of a column that gets another type: the type it has. */
  readonly before?: string;
}

/** An identifier, so that the text around it stays SQL. */
export const UNKNOWN_VALUE = 'cdk_alembic_unknown';

/** `# cdk-alembic: allow <rule>: <reason>` */
export interface Acknowledgement {
  readonly rule: string;
  readonly reason: string;
  readonly line: number;
}

export interface FunctionFacts {
  readonly line: number;
  /** Nothing but a docstring, `pass`, `...` or a bare `return`. */
  readonly empty: boolean;
  /** It does nothing but raise. */
  readonly raises: boolean;
  /** Calls in it and in what it uses of the same file. */
  readonly calls: readonly Call[];
  /** Lines of a `return` that does not end the function: the revision may be stamped without its work. */
  readonly earlyReturns: readonly number[];
  /** SQL that is given as text. */
  readonly sql: readonly { readonly text: string; readonly line: number; readonly inAutocommitBlock: boolean }[];
}

export interface Call {
  /** As written, such as `op.create_index`, `sa.Column`, `bind.commit`, `requests.get`, `os.environ.get`. */
  readonly name: string;
  /** A literal as JSON; `{"code": "sa.text(\"'email'\")"}` for anything else. */
  readonly args: readonly unknown[];
  readonly keywords: Readonly<Record<string, unknown>>;
  readonly line: number;
  readonly inAutocommitBlock: boolean;
  readonly inLoop: boolean;
  /** In an `if`, `try` or `match`, which a run does not always enter. */
  readonly inBranch: boolean;
}
