import type { AlterTableCmd, ColumnDef, Constraint, IndexStmt, UpdateStmt } from 'libpg-query';

/** The parsed part of a statement that an action comes from, and the statement's text, to which the node's locations refer. */
export interface Written<Node> {
  readonly node: Node;
  readonly sql: string;
}

export interface ColumnDefinition {
  readonly name: string;
  /** The type in SQL, with its length, such as `varchar(20)`, `int4`, `timestamp`. */
  readonly type: string;
  readonly notNull: boolean;
  readonly default?: DefaultKind;
  /** GENERATED ALWAYS AS. */
  readonly generated?: boolean;
  /** Whether the default is a text such as `'now()'`. */
  readonly isMoment?: true;
  /** An identity or a serial. */
  readonly numbered?: boolean;
  readonly primaryKey: boolean;
  /** Constraints that are written with the column. */
  readonly constraints: readonly ConstraintDefinition[];
  /** Absent if it was read from an operation. */
  readonly written?: Written<ColumnDef>;
}

/** `value` is known when the column is added, so that no row is written; `computed` is a value for every row. */
export type DefaultKind = 'value' | 'computed';

export interface ConstraintDefinition {
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude' | 'not null';
  readonly name?: string;
  readonly columns: readonly string[];
  readonly notValid: boolean;
  /** The existing index that it uses. */
  readonly usingIndex?: string;
  /** Of a foreign key. */
  readonly references?: { readonly table: string; readonly columns: readonly string[] };
  /** Absent if it was read from an operation. */
  readonly written?: Written<Constraint>;
}

/** What a DROP removes. */
export type DroppedKind =
  | 'table'
  | 'schema'
  | 'type'
  | 'view'
  | 'materialized view'
  | 'function'
  | 'sequence'
  | 'extension'
  /** Named with its table, as `users.touch`. */
  | 'trigger'
  | 'policy'
  | 'rule'
  | 'publication';

/** What a statement, or a part of one, does, as far as rules need it. Names are without `public`. */
export type Action =
  | {
      readonly does: 'create table';
      readonly table: string;
      readonly columns: readonly ColumnDefinition[];
      readonly constraints: readonly ConstraintDefinition[];
      readonly partitionOf?: string;
      readonly unlogged?: true;
    }
  | {
      readonly does: 'create index';
      readonly table: string;
      readonly index?: string;
      /** An expression is null. */
      readonly columns: readonly (string | null)[];
      readonly concurrently: boolean;
      readonly ifNotExists: boolean;
      readonly unique: boolean;
      /** ON ONLY: of a partitioned table, without its partitions. */
      readonly onlyParent: boolean;
      readonly literals: readonly string[];
      /** Absent if it was read from an operation. */
      readonly written?: Written<IndexStmt>;
    }
  | {
      readonly does: 'drop index';
      readonly indexes: readonly string[];
      /** The table. Absent in SQL; the operation may give it. */
      readonly of?: string;
      readonly concurrently: boolean;
    }
  | { readonly does: 'reindex'; readonly what: 'index' | 'table' | 'more'; readonly name: string; readonly concurrently: boolean }
  | { readonly does: 'attach index'; readonly index: string; readonly to: string }
  | { readonly does: 'move index'; readonly index: string; readonly tablespace: string }
  | { readonly does: 'add column'; readonly table: string; readonly column: ColumnDefinition }
  | { readonly does: 'drop column'; readonly table: string; readonly column: string; readonly cascade?: boolean }
  | { readonly does: 'add constraint'; readonly table: string; readonly constraint: ConstraintDefinition }
  | { readonly does: 'drop constraint'; readonly table: string; readonly constraint: string; readonly cascade?: boolean }
  | { readonly does: 'validate'; readonly table: string; readonly constraint: string }
  | { readonly does: 'set not null'; readonly table: string; readonly column: string }
  | {
      readonly does: 'change type';
      readonly table: string;
      readonly column: string;
      readonly type: string;
      /** Absent if it was read from an operation. */
      readonly written?: Written<AlterTableCmd>;
    }
  | { readonly does: 'drop not null'; readonly table: string; readonly column: string }
  | {
      readonly does: 'set default';
      readonly table: string;
      readonly column: string;
      /** Whether the column has a value by itself afterwards: a default, an identity, a generated value. */
      readonly has: boolean;
      /** The sequence that numbers the column; null for the new one of an identity. */
      readonly sequence?: string | null;
      /** Whether the default is a text such as `'now()'`. */
      readonly isMoment?: true;
    }
  /** GENERATED ALWAYS of an existing column. */
  | { readonly does: 'refuse values'; readonly table: string; readonly column: string }
  /** CREATE RULE: rewrites statements of its table. */
  | {
      readonly does: 'create rule';
      readonly table: string;
      readonly rule: string;
      readonly of: string;
      readonly instead: boolean;
    }
  | { readonly does: 'create policy'; readonly table: string; readonly policy: string; readonly restrictive: boolean }
  | { readonly does: 'alter policy'; readonly table: string; readonly policy: string }
  | { readonly does: 'attach partition'; readonly table: string; readonly partition: string; readonly isDefault: boolean }
  | { readonly does: 'detach partition'; readonly table: string; readonly partition: string; readonly concurrently: boolean }
  | { readonly does: 'set replica identity'; readonly table: string; readonly nothing: boolean }
  | {
      readonly does: 'add domain constraint';
      readonly domain: string;
      /** A CHECK, or NOT NULL. */
      readonly constraint?: ConstraintDefinition;
    }
  | { readonly does: 'create sequence'; readonly sequence: string }
  | { readonly does: 'change sequence type'; readonly sequence: string; readonly type: string }
  /** CYCLE or MAXVALUE. `of`: the table of an identity's column. */
  | {
      readonly does: 'limit sequence';
      readonly sequence: string;
      readonly cycles: boolean;
      readonly max?: number;
      readonly of?: string;
    }
  /** `table`: empty for all tables, as in `VACUUM FULL`. */
  | { readonly does: 'rewrite table'; readonly table: string; readonly how: string }
  | { readonly does: 'alter table'; readonly table: string; readonly how: string }
  | { readonly does: 'set autovacuum'; readonly table: string; readonly isOn: boolean }
  | {
      readonly does: 'rename';
      readonly what: 'table' | 'column' | 'type' | 'attribute' | 'enum value' | 'schema' | 'function' | 'other';
      /** The object that it belongs to; the object itself if that is a table. */
      readonly table: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly does: 'set schema'; readonly what: 'table' | 'type' | 'function'; readonly name: string; readonly schema: string }
  | {
      readonly does: 'drop';
      readonly what: DroppedKind | 'other';
      readonly names: readonly string[];
      readonly cascade?: boolean;
    }
  /** `replaces` is OR REPLACE: the view may have existed. `columns` has the names that the statement gives. */
  | { readonly does: 'create view'; readonly view: string; readonly replaces: boolean; readonly columns: readonly string[] }
  | {
      readonly does: 'create function';
      readonly name: string;
      readonly replaces: boolean;
      /** SECURITY DEFINER without a `search_path` of its own. */
      readonly usesCallersPath?: true;
    }
  /** To a version; absent: the default one of the server. */
  | { readonly does: 'update extension'; readonly extension: string; readonly to?: string }
  /** `set`: it has only these tables from now on. */
  | {
      readonly does: 'unpublish';
      readonly publication: string;
      readonly how: 'drop' | 'set';
      readonly tables: readonly string[];
    }
  | { readonly does: 'create trigger'; readonly table: string; readonly trigger: string; readonly replaces: boolean }
  /** `labels`: of an enum. */
  | { readonly does: 'create type'; readonly type: string; readonly labels?: readonly string[] }
  | { readonly does: 'create schema'; readonly schema: string }
  | { readonly does: 'add enum value'; readonly type: string; readonly value: string }
  | { readonly does: 'truncate'; readonly tables: readonly string[]; readonly cascade?: boolean }
  | {
      readonly does: 'update' | 'delete';
      readonly table: string;
      /**
       * `all` rows; rows that are `joined` to a row of another table; `some` that a condition finds; single `rows`, selected by a value; a
       * `batch`, limited by a subquery.
       */
      readonly rows: 'all' | 'joined' | 'some' | 'rows' | 'batch';
      readonly columns: readonly string[];
      /** How the condition of a DELETE finds the rows. */
      readonly by?: 'query' | 'age';
      /** The column of a WHERE that is only `<column> IS NULL`. */
      readonly whereNull?: string;
      /**
       * Whether the condition only compares columns that many rows may share a value of, or a range (of an UPDATE): `status = 'old'`; or finds
       * rows by those of another table (of an UPDATE).
       */
      readonly isShared?: true;
      /** Whether a DELETE is of one row, whose key Python computes. */
      readonly byComputedKey?: true;
      /** In a loop of a DO block. */
      readonly inLoop?: true;
      readonly written?: Written<UpdateStmt>;
    }
  | {
      readonly does: 'insert';
      readonly table: string;
      readonly fromQuery: boolean;
      /** The columns that get a value from the statement, not from a default or a sequence; absent: it names none, so all. */
      readonly given?: readonly string[];
    }
  /** Writes every row of tables into another one. */
  | { readonly does: 'copy rows'; readonly into: string; readonly from: readonly string[]; readonly how: string }
  /** `all`: in a schema. */
  | {
      readonly does: 'revoke';
      readonly privileges: readonly string[];
      readonly objects: readonly string[];
      readonly all: boolean;
      readonly roles: readonly string[];
    }
  | { readonly does: 'change owner'; readonly name: string; readonly to: string }
  /** A setting of a role, a database or the server. */
  | { readonly does: 'change setting'; readonly of: string }
  /** `to` is the next number; absent for the sequence's start. `of`: the table of an identity's column. */
  | { readonly does: 'restart sequence'; readonly sequence: string; readonly to?: number; readonly of?: string }
  | { readonly does: 'create role'; readonly role: string; readonly hasPassword: boolean }
  /** To every role. `all`: in a schema. */
  | {
      readonly does: 'grant to public';
      readonly privileges: readonly string[];
      readonly objects: readonly string[];
      readonly all: boolean;
    }
  /** ALTER DEFAULT PRIVILEGES: of what is created later, such as `tables`. */
  | {
      readonly does: 'change default privileges';
      readonly isGrant: boolean;
      readonly privileges: readonly string[];
      readonly of: string;
      readonly roles: readonly string[];
    }
  | { readonly does: 'lock'; readonly tables: readonly string[]; readonly mode: string }
  /** SELECT ... FOR UPDATE of all rows. */
  | { readonly does: 'lock rows'; readonly tables: readonly string[] }
  | { readonly does: 'sleep' }
  /** setval(); `to` and `of`, the sequence or the table of its column, if the statement has them as texts. */
  | { readonly does: 'set sequence'; readonly to?: number; readonly of?: string }
  /** pg_advisory_lock(), which the session holds. */
  | { readonly does: 'lock session' }
  | { readonly does: 'unlock session' }
  /** pg_terminate_backend(), pg_cancel_backend() */
  | { readonly does: 'end sessions'; readonly how: string }
  /** What only a superuser may do. */
  | { readonly does: 'need superuser'; readonly how: string }
  /** What PostgreSQL refuses in a transaction, such as VACUUM. */
  | { readonly does: 'need autocommit'; readonly how: string }
  | { readonly does: 'refresh'; readonly view: string; readonly concurrently: boolean }
  | {
      readonly does: 'disable trigger';
      readonly table: string;
      /** `all` includes those that enforce foreign keys. */
      readonly which: 'one' | 'user' | 'all';
      readonly trigger?: string;
    }
  | { readonly does: 'enable trigger'; readonly table: string }
  | { readonly does: 'begin transaction' }
  | { readonly does: 'end transaction'; readonly how: string }
  /** `value` is set if it is a text or an integer. */
  | { readonly does: 'set'; readonly name: string; readonly value?: string; readonly isLocal: boolean }
  /** RESET, or SET ... TO DEFAULT; `all` settings. */
  | { readonly does: 'reset'; readonly name: string }
  | { readonly does: 'unparsed'; readonly why: string }
  | { readonly does: 'other' };

export type ActionOf<Does extends Action['does']> = Extract<Action, { does: Does }>;
