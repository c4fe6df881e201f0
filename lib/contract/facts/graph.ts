/* The revisions of a project, and its env.py. */
import type { MigrateFailure } from '../answer';

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
  /**
   * Whether the problem may be due to the environment: a file fails when it is imported, and not for its syntax, or the application, which may
   * add folders with revisions, can't be loaded. @default false
   */
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
  /** Where its file uses `op` outside of its functions, so that it can only be loaded with a database. @default - nowhere */
  readonly atLoad?: { readonly line: number; readonly code: string; readonly connects?: true };
}

/** A line of `env.py`, from its source. */
export interface EnvironmentTransaction {
  readonly line: number;
  readonly code: string;
  /** What to do there so that Alembic begins the transactions. */
  readonly words: string;
  /** The same as code. */
  readonly instead: string;
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
  /** The name of Alembic's version table, without its schema. Absent: env.py did not get there. */
  readonly versionTable?: string;
  /** The driver of its connection, such as `psycopg`. Absent: env.py did not get there. */
  readonly driver?: string;
  /** Whether its connections have a `lock_timeout`, or, if it could not be run, whether it names one. @default false */
  readonly lockTimeout?: boolean;
  /** Path of env.py, relative to the project's folder. */
  readonly file: string;
  /** Plain Alembic's error, or why no revision could run at all. */
  readonly failure?: string;
  /** What to do about the failure, if env.py itself failed. */
  readonly next?: string;
  /** The runner's error for this env.py, or for a new database, although the revisions can be replayed. */
  readonly refused?: MigrateFailure['error'];
  /** Version of the scratch server, such as `18.4`. */
  readonly postgres: string;
}
