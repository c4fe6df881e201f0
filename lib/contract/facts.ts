/*
 * The protocol between the observer (Python, lambda/migrate/cdk_alembic_local) and TypeScript: questions about a project, and the facts
 * in reply. Python reports facts; nothing here judges them. This file imports only types.
 *
 * The observer reads one JSON document per line from standard input and writes one per line to its copy of standard output. Output of
 * the backend goes to standard error.
 */
import type { MigrateAnswer, MigrateFailure } from './answer';
import type { ColumnStatistics } from './production/statistics';
import type { MigrateRequest } from './request';

/** The first line to the observer. */
export interface Hello {
  /** The Alembic project's folder, relative to the directory the observer is started in. */
  readonly project: string;
  /** Variables to set before the backend is imported. */
  readonly environment: Readonly<Record<string, string>>;
  /** What env.py reads with `context.get_x_argument()`, such as `env=dev`. @default - nothing */
  readonly x?: readonly string[];
  /**
   * Whether each ask that needs a database has its address ({@link ScratchAddress}). Until then, its server may still be starting.
   * @default false - the backend's own database
   */
  readonly scratch?: boolean;
  /** Whether to record what is read, and to pause for a copy of the scratch server's files. @default false */
  readonly trace?: boolean;
}

/** The second line to the observer, which imports Alembic before it needs it. */
export interface ObserverCode {
  /**
   * The observer's own modules by path, such as `cdk_alembic_local/observer.py`: the backend's Python may run where this package is
   * not installed. lambda/migrate/cdk_alembic_local/bootstrap.py imports them from memory and calls `main(hello)` of that one.
   */
  readonly code: Readonly<Record<string, string>>;
  /** The report `bytecode` of an earlier process, or an empty text. @default - there will be no such report */
  readonly bytecode?: string;
}

/** May be added to each ask: revisions that replace or extend those in the files. */
export interface Overlay {
  /** Files to add or to replace. */
  readonly overlay?: readonly WrittenFile[];
  /** Folder for the copies of the revisions. @default - the system's folder for temporary files */
  readonly folder?: string;
}

/** A revision's file. */
export interface WrittenFile {
  /** Relative to the project's folder. */
  readonly file: string;
  readonly text: string;
}

/** Added to each ask except `graph` if there is a scratch database. */
export interface ScratchAddress {
  /** The address for every PostgreSQL connection of the backend, whatever `env.py` says, as a URL with the scheme `postgresql`. */
  readonly scratch?: string;
  /** Whether its server is removed afterwards, so that nothing needs to be dropped. @default false */
  readonly disposable?: boolean;
}

/** A question. Each is answered by {@link Report}s, the last of which is `end` or `failed`. */
export type Ask = Question & Overlay;

/** Where a new revision goes: options of `alembic revision`, with its names and meaning. */
export interface RevisionPlacement {
  /** What the revision follows, such as `billing@head`. @default - the only head */
  readonly head?: string;
  /** Whether it may follow a revision that is no head. @default false */
  readonly splice?: boolean;
  /** A label of the branch that begins with it. @default - none */
  readonly branchLabel?: string;
  /** One of the version_locations, relative to the project's folder. @default - that of the revision it follows */
  readonly versionPath?: string;
  /** @default - a random one */
  readonly revId?: string;
  /** Revisions of other branches that it needs. @default - none */
  readonly dependsOn?: readonly string[];
}

type Question =
  /** Reads the revisions from their files without running them. Works without a database, even if Alembic can't load the project. */
  | { readonly ask: 'graph' }
  /** A request to the runner, on the project's own database or on the scratch database. */
  | { readonly ask: 'invoke'; readonly request: MigrateRequest }
  /** Replays revisions on the scratch database. */
  | {
      readonly ask: 'observe';
      /** Ids of the revisions to observe; earlier ones are only applied. */
      readonly revisions: readonly string[];
      /** SQL to start from (plain text of `pg_dump`, with or without a version table). @default - an empty database */
      readonly baseline?: string;
      /** Whether to compare models and migrations at head. */
      readonly drift: boolean;
      /** Whether a scratch database that is not empty may be emptied. @default false */
      readonly overwrite?: boolean;
      /** Whether to report how env.py handles transactions. @default true */
      readonly environment?: boolean;
      /** The scratch database has what an earlier replay left, which reported this. @default - it is empty */
      readonly kept?: EnvironmentFacts;
    }
  /** The answer to a report `pause`. Has no reports of its own. */
  | { readonly ask: 'continue' }
  /** Continues in a second process, which listens on a socket. */
  | { readonly ask: 'fork'; readonly socket: string }
  /** The catalog of the project's own database, which is only read. */
  | { readonly ask: 'catalog' }
  /** Applies the revisions to the scratch database, and reports after which one the catalog matches. */
  | { readonly ask: 'place'; readonly entries: CatalogEntries; readonly overwrite?: boolean }
  /** The statements of a revision's functions. */
  | { readonly ask: 'bodies'; readonly file: string }
  /** The text of revisions that replace one. Writes nothing. */
  | { readonly ask: 'compose'; readonly file: string; readonly revisions: readonly WantedRevision[] }
  /** Writes revisions' files and runs the project's post_write_hooks on them. */
  | { readonly ask: 'write'; readonly files: readonly WrittenFile[] }
  /** Runs groups of revisions up, down and up again on tables with rows. */
  | {
      readonly ask: 'try';
      readonly groups: readonly TrialGroup[];
      readonly baseline?: string;
      readonly overwrite?: boolean;
    }
  /** Runs revisions once, each on tables with as many rows as production has, and measures what waits. */
  | {
      readonly ask: 'measure';
      readonly revisions: readonly MeasureTarget[];
      /** Sizes of production. */
      readonly tables: readonly TableTarget[];
      readonly limits: MeasureLimits;
      readonly baseline?: string;
      readonly overwrite?: boolean;
    }
  /** Brings the scratch database to head and writes a revision. */
  | {
      readonly ask: 'create';
      readonly message: string;
      /** @default - after the only head */
      readonly placement?: RevisionPlacement;
      /** Whether to write a revision without operations, ignoring the models. */
      readonly empty: boolean;
      /** Names that change, such as `["users.name", "users.full_name"]`. @default - none */
      readonly renames?: readonly (readonly [string, string])[];
      /** Whether other drops that look like a rename are refused. @default true */
      readonly askRenames?: boolean;
      /** Whether to write only what Alembic's autogenerate sees. @default false */
      readonly asIs?: boolean;
      /** How many days dropped columns and tables are kept under another name. @default - they are dropped */
      readonly keepDropped?: number;
      /** A column to fill: its table, with a primary key, is reported. */
      readonly fill?: { readonly table: string; readonly column: string };
      readonly baseline?: string;
      readonly overwrite?: boolean;
    };

export type Report =
  | { readonly report: 'graph'; readonly graph: GraphFacts }
  /** With `trace`, after the graph: the Python, where it searches, and the installed distributions. */
  | { readonly report: 'python'; readonly installed: readonly string[] }
  /** Whether there is a second process: a fork is not always safe. */
  | { readonly report: 'forked'; readonly done: boolean }
  /** With `trace`: nothing writes to the scratch server until the next line of input. */
  | { readonly report: 'pause'; readonly pause: PauseFacts }
  /** `unchanged`: whether the server wrote nothing during the pause. */
  | { readonly report: 'paused'; readonly unchanged: boolean }
  | { readonly report: 'environment'; readonly environment: EnvironmentFacts }
  /** Sent when a revision starts, for a progress bar. */
  | { readonly report: 'progress'; readonly done: number; readonly total: number; readonly revision: string }
  | { readonly report: 'revision'; readonly revision: RevisionFacts }
  | { readonly report: 'drift'; readonly drift: DriftFacts }
  | { readonly report: 'answer'; readonly answer: MigrateAnswer }
  | { readonly report: 'catalog'; readonly entries: CatalogEntries }
  | { readonly report: 'placed'; readonly placed: PlacedFacts }
  | { readonly report: 'bodies'; readonly bodies: BodyFacts }
  | { readonly report: 'composed'; readonly files: readonly ComposedFile[] }
  /** `failure`: why a hook failed; the files were written. */
  | { readonly report: 'written'; readonly failure?: string }
  | { readonly report: 'measured'; readonly measured: MeasuredFacts }
  /** `revision`: the last of the group. */
  | { readonly report: 'tried'; readonly revision: string; readonly trial: TrialFacts }
  /**
   * `earlier`: revisions that env.py writes before the last one. `left`: what differs from the models and was not written, in
   * words. `hookFailure`: why a post_write_hook failed.
   */
  | {
      readonly report: 'created';
      readonly revision: string;
      readonly file: string;
      readonly earlier: readonly { readonly revision: string; readonly file: string }[];
      readonly left: readonly string[];
      readonly hookFailure?: string;
      readonly table?: TableFacts;
    }
  | { readonly report: 'end' }
  /** After the last answer: the bytecode of the observer's own modules, which saves the next process from compiling them. */
  | { readonly report: 'bytecode'; readonly bytecode: string }
  /** `error` is the runner's failure (codes of the contract), or one with a {@link LocalCode}. */
  | { readonly report: 'failed'; readonly error: MigrateFailure['error'] | LocalFailure };

/** Codes of the observer's failures. */
export type LocalCode =
  /** The scratch database is not empty, and `overwrite` is false. */
  | 'scratch_not_empty'
  /** `create` found no difference between models and migrations. */
  | 'nothing_to_create'
  /** Something is dropped, and something like it is added. */
  | 'looks_like_rename'
  /** `create` has no models to compare with: env.py sets no target_metadata. */
  | 'no_target_metadata'
  /** Alembic or env.py failed while a revision was written. */
  | 'create_failed'
  /** The baseline could not be loaded. */
  | 'baseline_failed'
  /** `env.py` does not use SQLAlchemy for PostgreSQL, so it can't be redirected to the scratch database. */
  | 'scratch_not_reached'
  /** The backend's Python is older than 3.11. */
  | 'python_too_old'
  /** The backend's Python has no Alembic. */
  | 'alembic_missing';

export interface LocalFailure {
  readonly code: LocalCode;
  readonly message: string;
  readonly next: string;
}

/** The scratch server after revisions that all succeeded. */
export interface PauseFacts {
  /** Ids, in the order in which they were applied. */
  readonly revisions: readonly string[];
  readonly environment: EnvironmentFacts;
  /** Absolute paths of files and folders that the backend has read or looked for, without Python's own and without packages. */
  readonly read: readonly string[];
  /** The first and the last file of the write-ahead log that a copy needs. */
  readonly log: readonly [string, string];
}

/** `<kind> <name>` and how PostgreSQL defines it, as in {@link SchemaChange}; without grants. */
export type CatalogEntries = Readonly<Record<string, string>>;

/** Where a database stands among the revisions by its catalog alone. */
export interface PlacedFacts {
  /** The command that runs Alembic, such as `flask db`. */
  readonly command: string;
  /** What the version table holds after the revision that leaves this catalog, or the one that is nearest to it; empty without any. */
  readonly heads: readonly string[];
  /** Later revisions that leave the same catalog: they change rows only. */
  readonly later: readonly string[];
  /** From the database's catalog to the revision's; nothing differs where they are equal. Absent without a revision. */
  readonly differs?: SchemaChange;
  /** Why later revisions were not compared. */
  readonly stopped?: string;
}

export interface GraphFacts {
  /** In the order in which they are applied; when Alembic can't load the scripts, by file name. */
  readonly revisions: readonly GraphRevision[];
  readonly heads: readonly string[];
  /** The command that runs Alembic, such as `flask db`. @default alembic */
  readonly command?: string;
  /** Whether each of several heads has a branch label that no other has, so that a deploy goes to all of them. @default false */
  readonly headsAreMeant?: boolean;
  /** Why the scripts could not be loaded: a missing down_revision, a cycle, an id in two files, a file that fails. */
  readonly problem?: string;
  /** Whether the problem may be due to the environment: a file fails when it is imported, and not for its syntax. @default false */
  readonly mayLoadElsewhere?: boolean;
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

/** A line of `env.py`, from its source. */
export interface EnvironmentTransaction {
  readonly line: number;
  readonly code: string;
  /**
   * `connection`: `engine.begin() as connection`. `block`: `connection.begin()`. `migrations`: the same in place of Alembic's
   * `context.begin_transaction()`. `statement`: none of these is there, so earlier statements have begun it, and the line is that
   * of `context.configure()`.
   */
  readonly begins: 'connection' | 'block' | 'migrations' | 'statement';
}

/** How `env.py` handles transactions, observed with one revision on the scratch database. */
export interface EnvironmentFacts {
  /** Whether plain Alembic (`alembic upgrade`) committed what it ran. Not observed with `refused`. */
  readonly keeps: boolean;
  /** Whether the connection was in a transaction already when env.py called `context.configure()`. */
  readonly outerTransaction: boolean;
  /**
   * Whether an `autocommit_block()` works with plain Alembic: it does in a transaction that Alembic began itself. Absent: not
   * observed.
   */
  readonly autocommitBlocks?: boolean;
  /** Where env.py begins the transaction in which an `autocommit_block()` does not work. @default - it works */
  readonly transaction?: EnvironmentTransaction;
  /** The option that env.py gives to `context.configure()`. Absent: it did not get there. */
  readonly transactionPerMigration?: boolean;
  /** Path of env.py, relative to the project's folder. */
  readonly file: string;
  /** Plain Alembic's error, or why no revision could run at all. */
  readonly failure?: string;
  /** What to do about the failure, if env.py itself failed. */
  readonly next?: string;
  /** The error with which the runner refuses this env.py, or a new database, although the revisions can be replayed. */
  readonly refused?: MigrateFailure['error'];
  /** Version of the scratch server, such as `18.4`. */
  readonly postgres: string;
}

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
}

export interface Statement {
  /** As it was sent, with the driver's placeholders. */
  readonly sql: string;
  /** Line of the revision's file that caused it; 0: unknown. */
  readonly line: number;
  /** The line of the upgrade or the downgrade that called the function of the file which has that line. Absent: none did. */
  readonly calledAt?: number;
  /** Which transaction of the function it ran in, counted from 0; -1: autocommit. */
  readonly transaction: number;
  readonly milliseconds: number;
  /** Rows that a SELECT, INSERT, UPDATE or DELETE affected; -1: unknown. */
  readonly rowCount: number;
  /** New locks on objects that existed before the revision. In autocommit, none are visible. */
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

/** Entries are `<kind> <name>` and PostgreSQL's definition, such as `column users.email`: `text NOT NULL`. */
export interface SchemaChange {
  readonly added: Readonly<Record<string, string>>;
  readonly removed: Readonly<Record<string, string>>;
  /** Before and after. */
  readonly changed: Readonly<Record<string, readonly [string, string]>>;
}

/** Names omit the schema `public`. */
export interface TableFacts {
  /** Names of its direct partitions. Absent: it is not partitioned. */
  readonly partitions?: readonly string[];
  /** Names of the publications that replicate its rows. Absent: none. */
  readonly publications?: readonly string[];
  readonly columns: readonly ColumnFacts[];
  readonly constraints: readonly ConstraintFacts[];
  readonly indexes: readonly IndexFacts[];
}

export interface ColumnFacts {
  readonly name: string;
  /** From `format_type`, such as `character varying(255)`. */
  readonly type: string;
  readonly notNull: boolean;
  readonly default?: string;
  readonly identity: boolean;
  readonly generated: boolean;
}

export interface ConstraintFacts {
  readonly name: string;
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude' | 'not null';
  /** From `pg_get_constraintdef`. */
  readonly definition: string;
  readonly columns: readonly string[];
  readonly validated: boolean;
  /** Of a foreign key. */
  readonly references?: { readonly table: string; readonly columns: readonly string[] };
}

export interface IndexFacts {
  readonly name: string;
  /** From `pg_get_indexdef`. */
  readonly definition: string;
  /** Columns in order; an expression is null. */
  readonly columns: readonly (string | null)[];
  readonly unique: boolean;
  readonly valid: boolean;
  readonly partial: boolean;
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

/** A revision to measure. */
export interface MeasureTarget {
  readonly revision: string;
  /** Tables to fill. */
  readonly tables: readonly string[];
  /** Tables after the revision, as in {@link RevisionFacts}: the rows meet their constraints. */
  readonly after: Readonly<Record<string, TableFacts>>;
  /** What the revision adds to the catalog, such as an enum. */
  readonly added: CatalogEntries;
}

/** A table of production. */
export interface TableTarget {
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly ColumnStatistics[];
}

/** What ends the fill of tables, and the whole measurement. */
export interface MeasureLimits {
  /** Rows of a table. */
  readonly rows: number;
  /** Bytes of all tables of a revision, with indexes. */
  readonly bytes: number;
  /** Of all revisions together. */
  readonly seconds: number;
}

/** A revision, run once on filled tables, with a poll of its locks and writers beside it. */
export interface MeasuredFacts {
  readonly revision: string;
  /** Why it was not measured; the other properties are absent then. Absent: it was measured. */
  readonly reason?: string;
  /** From its start to its commit. */
  readonly milliseconds?: number;
  /** How fast this machine's server was just before, as {@link DatabaseStatistics.sortMilliseconds}. */
  readonly sortMilliseconds?: number;
  /** Bytes of write-ahead log that the server wrote meanwhile. Absent: the server does not tell. */
  readonly walBytes?: number;
  /** Tables that were filled, and those that the revision locked. */
  readonly tables?: readonly MeasuredTable[];
}

export interface MeasuredTable {
  readonly table: string;
  /** Rows that it had. */
  readonly rows: number;
  /** By the statistics; 0 if they do not have the table. */
  readonly productionRows: number;
  /** Which limit ended the fill before it had as many; `values`: no further rows were accepted. */
  readonly limit?: 'rows' | 'bytes' | 'time' | 'values';
  /** The error of the database that accepted no further rows. */
  readonly rejected?: string;
  readonly locks: readonly MeasuredLock[];
  /** How long a read of it took at most. Absent: no reader was beside it. */
  readonly longestReadMilliseconds?: number;
  /** How long a write to it waited at most, for a lock of the table or of a row. Absent: no writer was beside it. */
  readonly longestWriteMilliseconds?: number;
}

export interface MeasuredLock {
  /** As in pg_locks, such as `AccessExclusiveLock`. */
  readonly mode: string;
  /** How long it was held at most, by polling every few milliseconds. */
  readonly milliseconds: number;
}

/** The comparison of models and migrations, at head. */
export interface DriftFacts {
  /** The operations that Alembic's autogenerate would write, one per line. */
  readonly operations: readonly string[];
  /** Further differences in the catalogs: the migrated database compared with one that the models created. */
  readonly catalog: SchemaChange;
  /** What `create --keep-dropped` has set aside: columns, and whole tables. @default - none */
  readonly setAside?: readonly { readonly table: string; readonly column?: string }[];
  /** Why it could not be compared, such as no target_metadata. */
  readonly reason?: string;
}

/** Facts from a revision's file, read without running it. */
export interface SourceFacts {
  /** First line of its docstring. */
  readonly description: string;
  readonly acknowledgements: readonly Acknowledgement[];
  /** Null: the file has no such function. */
  readonly upgrade: FunctionFacts | null;
  readonly downgrade: FunctionFacts | null;
  /** Modules imported anywhere in the file, such as `app.models`. */
  readonly imports: readonly Import[];
  /** What the upgrade does to the database, in its order: lib/data-loss judges it. */
  readonly steps: readonly UpgradeStep[];
  readonly history: HistoryFacts;
}

/**
 * What earlier upgrades do to the objects that the upgrade makes, changes or drops only if they are there, or are not, and to the columns
 * that it makes NOT NULL; and what the relations are that it makes indexes of.
 */
export interface HistoryFacts {
  /** The objects of which it asks whether they are there, without their tables. */
  readonly names: readonly string[];
  /** Oldest first. */
  readonly steps: readonly SourceStep[];
  /** Whether the files show everything that was created: they go back to the first revision, and none runs the content of another file. */
  readonly isWhole: boolean;
  /** Names, without the schema, of those that earlier upgrades make, if the upgrade makes an index. */
  readonly materializedViews: readonly string[];
}

export interface Import {
  readonly module: string;
  readonly line: number;
  readonly ownProject: boolean;
  /** Neither a module of the project nor installed in the Python that reads it. @default false */
  readonly isMissing?: boolean;
}

/** A step of an upgrade, as lambda/migrate/cdk_alembic_local/upgrade_sql reads it from the source. */
export interface UpgradeStep {
  /** Operations of Alembic are written out as SQL; {@link UNKNOWN_VALUE} stands for what is not known. Absent at the end, with `empty`. */
  readonly sql?: string;
  /** Instead of `sql`: what can't be read, such as `SQL`. */
  readonly unread?: string;
  /** In the revision's file. */
  readonly line: number;
  /** Whether the lines of `sql` are lines of the file, from `line` on. */
  readonly spread: boolean;
  /** In place of `sql`: columns, such as `users.name`, that a loop reads into Python. */
  readonly reads?: readonly string[];
  /** Of a column that gets another type: the type it has. */
  readonly before?: string;
  /** Whether the revision before does this. */
  readonly isEarlier?: boolean;
  /** Whether an older revision does this, or the downgrade, so that the columns of its table are known. */
  readonly isHistory?: boolean;
  /** Queries that have found or counted nothing before this runs: otherwise the revision has stopped. */
  readonly empty?: readonly string[];
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
  /** Only a docstring, `pass`, `...` or a bare `return`. */
  readonly empty: boolean;
  /** It only raises. */
  readonly raises: boolean;
  /** Calls in it and in functions of the same file that it uses. */
  readonly calls: readonly Call[];
  /** Calls in functions of the project's own modules that it calls: their names, and the line of its own call. */
  readonly importedCalls: readonly Pick<Call, 'name' | 'line'>[];
  /** Lines of early `return`s: the revision may be stamped without its work. */
  readonly earlyReturns: readonly number[];
  /** SQL in text literals. */
  readonly sql: readonly { readonly text: string; readonly line: number; readonly inAutocommitBlock: boolean }[];
  /** What it does to the database, in its order. */
  readonly steps: readonly SourceStep[];
}

/**
 * An operation or a statement, as lambda/migrate/cdk_alembic_local/upgrade_sql reads it from the source: with the values that it gets, once
 * for each element of a list that the source has, and not where nothing reaches it. {@link UNKNOWN_VALUE} stands for what is not known.
 */
export interface SourceStep {
  /** An operation of Alembic. */
  readonly call?: Call;
  /** Any other statement; or a text that an unknown function gets. */
  readonly sql?: string;
  /** In the revision's file. */
  readonly line: number;
  /** Whether the lines of `sql` are lines of the file, from `line` on. */
  readonly spread: boolean;
  readonly inAutocommitBlock: boolean;
  /** Under a condition that is not known. */
  readonly inBranch: boolean;
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
  /** In loops that go only through what the revision lists. @default false */
  readonly overConstants?: boolean;
  /** In an `if`, `try` or `match`, which a run does not always enter. */
  readonly inBranch: boolean;
  /** In an `if` that asks the environment or the settings: each stage may run something else. @default false */
  readonly ifEnvironment?: boolean;
  /** A statement whose result is not used. @default false */
  readonly isAlone?: boolean;
  /** Not a call, but a use of an import of the backend's settings, such as `app.config.settings`. @default false */
  readonly isSettings?: boolean;
}

/** The statements of a revision's functions. Null: there is no such function, or it can't be taken apart. */
export interface BodyFacts {
  readonly upgrade: readonly BodyUnit[] | null;
  readonly downgrade: readonly BodyUnit[] | null;
}

/** A statement of a function, with the comments above it. */
export interface BodyUnit {
  /** Without its comments. */
  readonly line: number;
  readonly endLine: number;
  /** As written, with its indentation. */
  readonly code: string;
  /** The lines that open its blocks, such as `with op.batch_alter_table("users") as batch_op:`; empty if it is in none. */
  readonly within: string;
  /** Where that line is; 0 if there is none. A batch runs its statements there. */
  readonly opened: number;
  /** The one of those lines that asks for the kind of database: `if bind.dialect.name == "postgresql":`; empty if there is none. */
  readonly condition: string;
  /**
   * `names`: an assignment or an import; `repeated`: operations in a loop over constants, in a function of the file or on one line, of which
   * the replay has seen all that they run; `block`: another loop, condition or `with`; `nothing`: `pass`, a docstring.
   */
  readonly kind: 'plain' | 'names' | 'repeated' | 'block' | 'nothing';
}

/** A revision to write instead of another one, or as a step of it. */
export interface WantedRevision {
  readonly revision: string;
  /** Name of its file; the last one keeps the replaced revision's. */
  readonly file: string;
  readonly message: string;
  /** Modules to import, such as `time`. @default - those of the replaced revision */
  readonly imports?: readonly string[];
  /** What the previous one of the series is; the first one keeps the replaced revision's. */
  readonly down?: string;
  readonly upgrade: WantedBody;
  readonly downgrade: WantedBody;
}

export interface WantedBody {
  readonly pieces: readonly WantedPiece[];
  /** Docstring of a function without pieces. */
  readonly nothing?: string;
}

export interface WantedPiece {
  readonly code: string;
  readonly within?: string;
  /** Whether the code is that of the file, with its indentation. */
  readonly isWritten?: boolean;
}

export interface ComposedFile extends WrittenFile {
  readonly revision: string;
  /** From the file that is there, as a unified diff. */
  readonly diff: string;
  readonly isNew: boolean;
}

/** Revisions that are tried together, in their order. */
export interface TrialGroup {
  readonly revisions: readonly string[];
  /** Tables to fill with rows before the first one. */
  readonly tables: readonly string[];
  /** Tables as they should be afterwards: the rows violate none of their CHECKs and foreign keys. */
  readonly after: Readonly<Record<string, TableFacts>>;
}

/** The state before and after a group, after its downgrade, and after the group ran again. */
export interface TrialFacts {
  /** Why it did not finish. */
  readonly failure?: string;
  readonly before?: TrialState;
  readonly after?: TrialState;
  readonly restored?: TrialState;
  readonly again?: TrialState;
}

export interface TrialState {
  readonly entries: CatalogEntries;
  /** Definitions of the indexes of the filled tables, by name. */
  readonly indexes: Readonly<Record<string, string>>;
  /** Rows of the filled tables. */
  readonly rows: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}
