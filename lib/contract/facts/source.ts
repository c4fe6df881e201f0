/* What a revision's source says. */

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
 * that it makes NOT NULL; and what the relations are whose indexes it makes or drops.
 */
export interface HistoryFacts {
  /** The objects whose existence it checks, without their tables. */
  readonly names: readonly string[];
  /** Oldest first. */
  readonly steps: readonly SourceStep[];
  /** Whether the files show everything that was created: they go back to the first revision, and none runs the content of another file. */
  readonly isWhole: boolean;
  /** What creates the tables that the upgrade inserts rows into. */
  readonly filledTables: readonly SourceStep[];
  /** Names, without the schema, of those that earlier upgrades make, if the upgrade makes or drops an index. */
  readonly materializedViews: readonly string[];
  /** The same of partitioned tables. */
  readonly partitionedTables: readonly string[];
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
  /** Alembic's operations are written out as SQL; {@link UNKNOWN_VALUE} replaces unknown parts. Absent at the end, with `empty`. */
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
  /** Whether it only runs after a statement has failed, which aborts the transaction. @default false */
  readonly onFailure?: boolean;
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
  readonly sql: readonly SqlText[];
  /** What it does to the database, in its order. */
  readonly steps: readonly SourceStep[];
}

export interface SqlText extends Pick<Call, 'line' | 'inAutocommitBlock' | 'ifEnvironment'> {
  readonly text: string;
}

/**
 * An operation or a statement, as lambda/migrate/cdk_alembic_local/upgrade_sql reads it from the source: with the values that it gets, once
 * for each element of a list that the source has, and not where nothing reaches it. {@link UNKNOWN_VALUE} replaces unknown parts.
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
  /** Whether it runs in the transaction of a connection that the revision opens. @default false */
  readonly onOtherConnection?: boolean;
  /** Under a condition that is not known, or in a loop over what is not known. */
  readonly inBranch: boolean;
  /** Whether it only runs after a statement has failed, which aborts the transaction. @default false */
  readonly onFailure?: boolean;
}

export interface Call {
  /** As written, such as `op.create_index`, `sa.Column`, `bind.commit`, `requests.get`, `os.environ.get`. */
  readonly name: string;
  /** A literal as JSON; `{"code": "sa.text(\"'email'\")"}` for anything else. */
  readonly args: readonly unknown[];
  readonly keywords: Readonly<Record<string, unknown>>;
  readonly line: number;
  /** The line of the batch that runs it, such as `with op.batch_alter_table("users") as batch_op:`. @default line */
  readonly runsAt?: number;
  readonly inAutocommitBlock: boolean;
  readonly inLoop: boolean;
  /** In loops that go only through what the revision lists. @default false */
  readonly overConstants?: boolean;
  /** In an `if`, `try` or `match`, which a run does not always enter. */
  readonly inBranch: boolean;
  /** In an `if` that asks the environment or the settings, or after its `return`: each stage may run something else. @default false */
  readonly ifEnvironment?: boolean;
  /** In the handler of a `try` whose savepoint has undone its body: the line of the `try`. */
  readonly undoneFrom?: number;
  /** A statement whose result is not used. @default false */
  readonly isAlone?: boolean;
  /** Not a call, but a use of an import of the backend's settings, such as `app.config.settings`. @default false */
  readonly isSettings?: boolean;
}
