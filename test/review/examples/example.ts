import type { Severity } from '../../../lib/review/finding';

/** The functions of a revision, as they are written in its file. */
export interface Script {
  readonly up: string;
  /** @default 'pass' */
  readonly down?: string;
  /** @default - says what the example is about */
  readonly message?: string;
  /** Stands between the imports and the functions. */
  readonly head?: string;
}

/** Revisions that are reviewed together, as one change. */
export interface Sample {
  readonly revisions: readonly Script[];
  /** What else is found, because one does not occur without the other. */
  readonly also?: readonly string[];
}

/** A rule with revisions that it is made for, and revisions that do the same as it should be done. */
export interface Example {
  readonly rule: string;
  /** What tells it from other examples of the rule. */
  readonly about?: string;
  /** A revision that production has. @default {@link GIVEN} */
  readonly given?: string;
  readonly bad?: Sample;
  /** Of what the rule finds in `bad`. @default - the rule's own */
  readonly severity?: Severity;
  readonly good: Sample;
}

/*
 * The names users, orders and mood are made unique before the revisions are written, so that all examples live in one database.
 */
export const GIVEN = `
op.create_table(
    "users",
    sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
    sa.Column("email", sa.Text(), nullable=True),
    sa.Column("name", sa.String(100), nullable=True),
    sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_users"),
)
op.create_table(
    "orders",
    sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
    sa.Column("user_id", sa.BigInteger(), nullable=True),
    sa.Column("total", sa.Numeric(12, 2), nullable=True),
    sa.Column("note", sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint("id", name="pk_orders"),
)
op.create_index("ix_orders_user_id", "orders", ["user_id"])
`;

/** A table with the partition orders_1, and orders_2, which is none. */
export const PARTITIONED = `
op.execute("CREATE TABLE orders (id bigint NOT NULL, note text) PARTITION BY RANGE (id)")
op.execute("CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10)")
op.execute("CREATE TABLE orders_2 (id bigint NOT NULL, note text)")
`;

export const one = (up: string, down?: string, rest: Partial<Script> = {}): Sample => ({ revisions: [{ up, down, ...rest }] });
