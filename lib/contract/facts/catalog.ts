/* The catalog of the scratch database. */

/** `<kind> <name>` and how PostgreSQL defines it, as in {@link SchemaChange}; without grants. */
export type CatalogEntries = Readonly<Record<string, string>>;

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
  /** Only of the tables that a revision affects. */
  readonly comment?: string;
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
