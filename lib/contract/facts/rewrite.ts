/* Rewriting revisions, and trying the result. */
import type { CatalogEntries, TableFacts } from './catalog';

/** A revision's file. */
export interface WrittenFile {
  /** Relative to the project's folder. */
  readonly file: string;
  readonly text: string;
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
  /** Above it and in it, without those that are for a linter. */
  readonly comments: readonly string[];
  /** Whether an empty line is above it. */
  readonly isApart: boolean;
  /** The lines that open its blocks, such as `with op.batch_alter_table("users") as batch_op:`; empty if it is in none. */
  readonly within: string;
  /** Where that line is; 0 if there is none. A batch runs its statements there. */
  readonly opened: number;
  /** The one of those lines that asks for the kind of database: `if bind.dialect.name == "postgresql":`; empty if there is none. */
  readonly condition: string;
  /**
   * `names`: an assignment or an import; `repeated`: operations in a loop over constants, in a function of the file or on one line, of which
   * the replay has seen all that they run; `block`: another loop, condition or `with`; `raise`: an exception
   * that ends the function; `guard`: `if bind.dialect.name != "postgresql": return`; `nothing`: `pass`, a docstring.
   */
  readonly kind: 'plain' | 'names' | 'repeated' | 'block' | 'raise' | 'guard' | 'nothing';
  /** Whether it executes a statement whose values are constants in the source. @default false */
  readonly isConstant?: boolean;
  /** What it asks first, if it is operations with constant arguments in a block that depends on an index. @default - nothing */
  readonly checks?: IndexCheck;
  /** The operations with constant arguments, and batches of them, that are in its conditions and in no loop. */
  readonly inner: readonly InnerStatement[];
}

/** A statement in a unit, on lines of its own. */
export interface InnerStatement {
  readonly line: number;
  readonly endLine: number;
  /** As written, with its indentation. */
  readonly code: string;
}

/** A condition such as `if "ix_users_age" not in indexes:` or `if not has_index("users", "ix_users_age"):`. */
export interface IndexCheck {
  /** Whether the block runs if the index exists. */
  readonly exists: boolean;
  /** The texts that the condition names; one of them is the index. */
  readonly texts: readonly string[];
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
  /** Whether an empty line is above it, unless it comes first. @default false */
  readonly isApart?: boolean;
  readonly within?: string;
  /** Where its block is opened in the file that has the code; 0 if it is in none. @default - the code is new, and not indented */
  readonly opened?: number;
  /** What replaces statements in it. @default - it stays as it is */
  readonly replaced?: readonly { readonly code: string; readonly by: string }[];
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
  /** Why it did not finish. The states until then are there. */
  readonly failure?: string;
  /** The statement that failed. Absent if none did. */
  readonly statement?: string;
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
