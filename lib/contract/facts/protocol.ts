/*
 * The protocol between the observer (Python, lambda/migrate/cdk_alembic_local) and TypeScript: questions about a project, and the facts
 * in reply. Python reports facts; nothing here judges them. This file imports only types.
 *
 * The observer reads one JSON document per line from standard input and writes one per line to its copy of standard output. Output of
 * the backend goes to standard error.
 */
import type { MigrateAnswer, MigrateFailure } from '../answer';
import type { MigrateRequest } from '../request';
import type { CatalogEntries, SchemaChange, TableFacts } from './catalog';
import type { EnvironmentFacts, GraphFacts } from './graph';
import type { MeasuredFacts, MeasureLimits, MeasureTarget, TableTarget } from './measure';
import type { DriftFacts, RevisionFacts, StandingFacts } from './replay';
import type { BodyFacts, ComposedFile, TrialFacts, TrialGroup, WantedRevision, WrittenFile } from './rewrite';

/** The first line to the observer. */
export interface Hello {
  /** The Alembic project's folder, absolute or relative to the directory the observer is started in. */
  readonly project: string;
  /** Its alembic.ini or pyproject.toml, relative to that folder. @default - searched for in the folder */
  readonly config?: string | undefined;
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

/** Added to each ask except `graph` if there is a scratch database. */
export interface ScratchAddress {
  /** The address for every PostgreSQL connection of the backend, whatever `env.py` says, as a URL with the scheme `postgresql`. */
  readonly scratch?: string;
  /** Whether its server is removed afterwards, so that nothing needs to be dropped. @default false */
  readonly disposable?: boolean;
}

/** A question, answered by {@link Report}s that end with `end` or `failed`. */
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
      /** Ids of revisions whose comment for the next release counts as carried out in that comparison. @default - none */
      readonly unreleased?: readonly string[];
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
      /** Ids of revisions whose comment for the next release counts as carried out. @default - none */
      readonly unreleased?: readonly string[];
      /** How many days dropped columns and tables are kept under another name. @default - they are dropped */
      readonly keepDropped?: number;
      /** Differences to leave out, and the branch whose models have them. @default - none */
      readonly standing?: StandingFacts & { readonly since: string };
      /** A column to fill: its table, with a primary key, is reported. */
      readonly fill?: { readonly table: string; readonly column: string };
      readonly baseline?: string;
      readonly overwrite?: boolean;
    }
  /** Brings the scratch database to head and compares it with the models. The project is in a checkout of its repository. */
  | {
      readonly ask: 'standing';
      /** The repository's folder. Nothing there is imported, apart from virtual environments. */
      readonly repository: string;
      readonly checkout: string;
      readonly baseline?: string;
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
   * words. `standing`: how many differences of StandingFacts were left out. `nextRelease`: the bodies that an earlier revision has for it in a comment; it was written without operations. `hookFailure`:
   * why a post_write_hook failed.
   */
  | {
      readonly report: 'created';
      readonly revision: string;
      readonly file: string;
      readonly earlier: readonly { readonly revision: string; readonly file: string }[];
      readonly left: readonly string[];
      readonly standing?: number;
      readonly nextRelease?: { readonly upgrade: string; readonly downgrade: string };
      readonly hookFailure?: string;
      readonly table?: TableFacts;
    }
  | { readonly report: 'standing'; readonly standing: StandingFacts }
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

/** The revision whose catalog a database has, or the nearest one. The version table does not matter. */
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
