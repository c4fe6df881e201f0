/** A revision that can't be replayed, and what must be found in it: every error, and those warnings that are named. */
export interface UnreplayedCase {
  readonly title: string;
  readonly up: string;
  readonly down?: string;
  readonly head?: string;
  /** @default - the tables users and orders of the examples */
  readonly given?: string;
  /** As `error drop-column`, `warning downgrade-fails in the downgrade`. */
  readonly findings: readonly string[];
  /** Parts of messages. */
  readonly says?: readonly string[];
  /** Parts of what is to be written instead. */
  readonly advises?: readonly string[];
  /** Rules that find nothing, not even a warning. */
  readonly without?: readonly string[];
}

const COLUMNS = 'names = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("users")]\n';
const block = (body: string) => `op.execute("""DO $$ BEGIN ${body} END $$""")`;
const IF_COLUMN = "IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'legacy') THEN";

const SYNC = (labels: string, more = '') =>
  `op.sync_enum_values(enum_schema="public", enum_name="mood", new_values=[${labels}], affected_columns=[TableReference("users", "name"), ("orders", "note")]${more})`;

/** Operations that a package adds to `op`. */
const OF_PACKAGES: readonly UnreplayedCase[] = [
  {
    title: 'removes a label of an enum by sync_enum_values',
    head: 'from alembic_postgresql_enum import TableReference\n',
    up: SYNC('"ok"'),
    down: SYNC('"ok", "bad"'),
    findings: ['error table-rewrite', 'error table-rewrite', 'warning narrowing-type'],
  },
  {
    title: 'renames a label of an enum by sync_enum_values',
    head: 'from alembic_postgresql_enum import TableReference\n',
    up: SYNC('"ok", "fine"', ', enum_values_to_rename=[("bad", "fine")]'),
    down: SYNC('"ok", "bad"', ', enum_values_to_rename=[("fine", "bad")]'),
    findings: ['error table-rewrite', 'error table-rewrite'],
  },
];

/** The operation of alembic-autogenerate-enums, which has the labels before and after. */
const ADDED_LABELS: UnreplayedCase = {
  title: 'adds a label to an enum by the sync_enum_values of another package',
  up: 'op.sync_enum_values("public", "mood", ["ok"], ["ok", "bad"])',
  down: 'op.sync_enum_values("public", "mood", ["ok", "bad"], ["ok"])',
  findings: [],
  without: ['narrowing-type', 'table-rewrite'],
};

/** What a revision reads besides the database, and whose rows it deletes. */
const READS: readonly UnreplayedCase[] = [
  {
    title: 'deletes rows of a model of the application',
    head: 'from shop.models import Permission\nfrom sqlalchemy.orm import Session\n',
    up: 'session = Session(op.get_bind())\nfor name in ["a", "b"]:\n    session.query(Permission).filter(Permission.name == get(name)).delete()',
    findings: ['error delete-by-query'],
    says: ['DELETE loses some rows of a table that is known only when it runs'],
  },
  {
    title: 'reads a variable of the environment',
    head: 'import os\n',
    up: 'os.getenv("STAGE", "dev")',
    findings: ['warning reads-outside'],
    says: ['os.getenv reads something that differs between machines: the revision behaves differently in each stage"'],
  },
  {
    title: 'reads a file and the network',
    head: 'import requests\n',
    up: 'open("rates.json").read()\nrequests.get("https://rates.example.com")',
    findings: ['warning reads-outside', 'warning reads-outside'],
    says: ['and fails where the file is missing', 'and fails if the other side does not answer'],
  },
];

/** What an earlier revision says about a table. */
const EARLIER: readonly UnreplayedCase[] = [
  {
    title: 'gives its own numbers to a key that a sequence numbers',
    given: 'op.execute("CREATE TABLE plans (id serial PRIMARY KEY, name text)")',
    up: 'op.execute("INSERT INTO plans (id, name) VALUES (1, \'free\')")',
    findings: ['warning sequence-out-of-sync'],
  },
  {
    title: 'gives its own numbers to a key without a sequence',
    given: 'op.create_table("plans", sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False))',
    up: 'op.execute("INSERT INTO plans (id) VALUES (1)")',
    findings: [],
    without: ['sequence-out-of-sync'],
  },
];

/** What the code does not reach, or does to what is not there. */
const NOTHING: readonly UnreplayedCase[] = [
  {
    title: 'drops a column that no revision has made, if it is there',
    up: `${COLUMNS}if "legacy" in names:\n    op.drop_column("users", "legacy")`,
    findings: ['warning drop-column'],
  },
  {
    title: 'drops a column that is there, if it is there',
    up: `${COLUMNS}if "email" in names:\n    op.drop_column("users", "email")`,
    findings: ['error drop-column'],
  },
  {
    title: 'drops a column in a block, if it is there, which no revision has made',
    up: block(`${IF_COLUMN} ALTER TABLE users DROP COLUMN legacy; END IF;`),
    findings: ['warning drop-column'],
  },
  {
    title: 'empties a column, if it is there, which no revision has made',
    up: `${COLUMNS}if "legacy" in names:\n    op.execute("UPDATE users SET legacy = NULL")`,
    findings: ['warning clear-column'],
  },
  {
    title: 'drops with CASCADE, if they are there, what no revision has made',
    up: ['TABLE no_users', 'VIEW none_users', 'TYPE not_mood']
      .map((what) => `op.execute("DROP ${what.replace(' ', ' IF EXISTS ')} CASCADE")`)
      .join('\n'),
    findings: ['warning drop-cascade', 'warning drop-table', 'warning drop-type'],
  },
  {
    title: 'builds an index CONCURRENTLY after it has asked for AUTOCOMMIT within the transaction',
    up: [
      'op.get_bind().execution_options(isolation_level="AUTOCOMMIT")',
      'op.execute("CREATE INDEX CONCURRENTLY ix_users_name ON users (name)")',
    ].join('\n'),
    findings: ['warning concurrently-in-transaction'],
    says: ['SQLAlchemy 2 refuses'],
  },
  {
    title: 'adds several generated columns in one statement, and drops several columns',
    up: [
      `op.execute("ALTER TABLE users ADD COLUMN a text GENERATED ALWAYS AS (lower(name)) STORED, ADD b text GENERATED ALWAYS AS (upper(name)) STORED")`,
      'op.execute("ALTER TABLE orders DROP COLUMN note, DROP COLUMN total")',
    ].join('\n'),
    findings: ['error table-rewrite', 'warning table-rewrite', 'error drop-column', 'error drop-column'],
  },
  {
    title: 'makes a new column NOT NULL, and renames another one that it makes NOT NULL',
    up: [
      'op.add_column("users", sa.Column("plan", sa.Text()))',
      'op.execute("UPDATE users SET plan = name WHERE id < 10")',
      'op.alter_column("users", "plan", nullable=False)',
      'op.alter_column("users", "email", new_column_name="mail", nullable=False)',
    ].join('\n'),
    findings: [
      'error work-under-lock',
      'error set-not-null-scan',
      'warning required-column',
      'error set-not-null-scan',
      'error rename',
    ],
  },
  {
    title: 'drops a constraint with CASCADE',
    up: 'op.execute("ALTER TABLE users DROP CONSTRAINT users_email_key CASCADE")',
    findings: ['warning cascade'],
  },
  {
    title: 'drops with CASCADE, if it is there, a table that a revision has made by SQL',
    given: 'op.execute("CREATE TABLE users (id bigint PRIMARY KEY)")',
    up: 'op.execute("DROP TABLE IF EXISTS users CASCADE")',
    findings: ['error drop-table'],
  },
  {
    title: 'drops, if it is there, a table that a file of SQL may have made',
    given: 'op.execute(open("schema.sql").read())',
    up: 'op.execute("DROP TABLE IF EXISTS users")',
    findings: ['error drop-table'],
  },
  {
    title: 'makes an index again, if it is not there',
    up: 'op.execute("CREATE INDEX IF NOT EXISTS ix_orders_user_id ON orders (user_id)")\nop.create_index("ix_orders_user_id", "orders", ["user_id"], if_not_exists=True)',
    findings: [],
  },
  {
    title: 'makes an index again that it has dropped',
    up: 'op.drop_index("ix_orders_user_id")\nop.execute("CREATE INDEX IF NOT EXISTS ix_orders_user_id ON orders (user_id, id)")',
    findings: ['error index-not-concurrent'],
  },
  {
    title: 'adds a constraint in a block, if it is not there, which is',
    up: block(
      "IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'pk_users') THEN ALTER TABLE users ADD CONSTRAINT pk_users PRIMARY KEY (id); END IF;",
    ),
    findings: [],
  },
  {
    title: 'adds a constraint in a block, if it is not there, which is not',
    up: block(
      "IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'email') THEN ALTER TABLE users ADD CONSTRAINT email UNIQUE (email); END IF;",
    ),
    findings: ['error constraint-builds-index'],
  },
  {
    title: 'adds an EXCLUDE constraint',
    up: 'op.execute("ALTER TABLE users ADD CONSTRAINT times EXCLUDE USING gist (room WITH =, during WITH &&)")',
    findings: ['error constraint-builds-index', 'warning unique-on-existing-rows'],
    says: ['two rows of users that the constraint excludes make the upgrade fail'],
  },
  { title: 'returns first', up: 'return\nop.drop_column("users", "email")', findings: [] },
  {
    title: 'returns in each branch',
    up: 'if op.get_bind():\n    return\nelse:\n    raise NotImplementedError\nop.drop_column("users", "email")',
    findings: [],
  },
  { title: 'raises first', up: 'raise NotImplementedError\nop.drop_column("users", "email")', findings: [] },
  {
    title: 'returns first in a function that it calls',
    head: 'def clean():\n    return\n    op.drop_table("users")\n',
    up: 'clean()',
    findings: [],
  },
  { title: 'has code under a condition that is never true', up: 'if False:\n    op.drop_column("users", "email")', findings: [] },
  {
    title: 'has code behind an error that is suppressed',
    head: 'from contextlib import suppress\n',
    up: 'with suppress(Exception):\n    raise ValueError\nop.drop_column("users", "email")',
    findings: ['error drop-column'],
  },
];

/** How a statement or an operation gets its text. */
const PUT_TOGETHER: readonly UnreplayedCase[] = [
  ['format', '"ALTER TABLE {} ADD UNIQUE ({})".format("users", "email")'],
  ['%', '"ALTER TABLE %s ADD UNIQUE (%s)" % ("users", "email")'],
  ['an f-string over constants', 'f"ALTER TABLE {TABLE} ADD UNIQUE ({COLUMN})"'],
  ['join', '" ".join(["ALTER TABLE", TABLE, "ADD UNIQUE", f"({COLUMN})"])'],
  ['dedent', 'textwrap.dedent("""\n    ALTER TABLE users\n    ADD UNIQUE (email)\n""")'],
  ['replace', '"ALTER TABLE name ADD UNIQUE (email)".replace("name", TABLE)'],
].map(([title, code]) => ({
  title: `runs SQL that it puts together by ${title}`,
  head: 'import textwrap\nTABLE, COLUMN = "users", "email"\n',
  up: `op.execute(${code})`,
  findings: ['error constraint-builds-index'],
}));

const SERVICES: readonly UnreplayedCase[] = [
  ['qdrant_client', 'QdrantClient("localhost").get_collections()'],
  ['weaviate', 'connect_to_local()'],
  ['meilisearch', 'Client("http://localhost").get_indexes()'],
  ['confluent_kafka', 'Producer({}).flush()'],
].map(([module, code]) => ({
  title: `asks a service by ${module}`,
  head: `import ${module}\n`,
  up: `${module}.${code}`,
  findings: ['warning reads-outside'],
}));

const TUPLE: UnreplayedCase = {
  title: 'runs SQL with a tuple of values',
  up: 'names = ("old", "older")\nop.execute(f"DELETE FROM users WHERE name IN {names}")\nop.execute(f"UPDATE orders SET note = 1 WHERE total IN {(1, 2)}")',
  findings: ['warning update-all'],
};

const EACH: readonly UnreplayedCase[] = [
  {
    title: 'loops over pairs',
    up: 'for table, column in (("users", "email"), ("orders", "note")):\n    op.drop_column(table, column)',
    findings: ['error drop-column', 'error drop-column'],
  },
  {
    title: 'loops over a dictionary',
    up: 'for table, column in {"users": "email", "orders": "note"}.items():\n    op.alter_column(table, column, nullable=False)',
    findings: ['error set-not-null-scan', 'error set-not-null-scan'],
  },
  {
    title: 'loops over a list of statements',
    up: 'for sql in ["ALTER TABLE users ADD UNIQUE (email)", "ALTER TABLE orders ADD UNIQUE (note)"]:\n    op.execute(sql)',
    findings: ['error constraint-builds-index', 'error constraint-builds-index'],
  },
  {
    title: 'loops over the tables of the database',
    up: 'for table in sa.inspect(op.get_bind()).get_table_names():\n    op.add_column(table, sa.Column("n", sa.Integer(), nullable=False))\n    op.create_index(f"ix_{table}", table, ["n"])',
    findings: ['error index-not-concurrent', 'error not-null-without-default'],
  },
  {
    title: 'calls a function with the names',
    head: 'def index(table, *columns):\n    op.create_index("_".join(["ix", table, *columns]), table, list(columns))\n',
    up: 'index("users", "email")\nindex("orders", "note", "id")',
    findings: ['error index-not-concurrent', 'error index-not-concurrent'],
  },
  {
    title: 'changes the type of a column twice',
    up: 'op.alter_column("users", "name", type_=sa.BigInteger())\nop.alter_column("users", "name", type_=sa.Integer())',
    findings: ['error table-rewrite', 'warning table-rewrite'],
  },
  {
    title: 'writes every row for each of a list of values',
    up: 'for name in ("a", "b", "c"):\n    op.execute(f"UPDATE users SET name = replace(name, \'{name}\', \'-\')")',
    findings: ['error update-all'],
  },
  {
    title: 'uses a batch, in a loop',
    up: 'for name in ("a", "b"):\n    with op.batch_alter_table("users") as batch:\n        batch.add_column(sa.Column(name, sa.Integer(), nullable=False))',
    findings: ['error not-null-without-default', 'error not-null-without-default'],
  },
  {
    title: 'builds indexes outside of a transaction, in a loop',
    up: 'with op.get_context().autocommit_block():\n    for name in ("email", "name"):\n        op.create_index(f"ix_{name}", "users", [name], postgresql_concurrently=True)',
    findings: [],
  },
];

const CONVERTED: readonly UnreplayedCase[] = [
  ['sa.LargeBinary()', 'sa.String()'],
  ['sa.Float()', 'sa.Text()'],
  ['sa.Integer()', 'sa.String(20)'],
  ['sa.Date()', 'sa.DateTime(timezone=True)'],
].map(([from, to]) => ({
  title: `gives a column a type that is stored in another way: ${from}, ${to}`,
  up: `op.alter_column("users", "name", existing_type=${from}, type_=${to})`,
  findings: ['error table-rewrite'],
}));

const LOCKED: readonly UnreplayedCase[] = [
  {
    title: 'runs an UPDATE that it has written before',
    up: 'sql = "UPDATE users SET name = \'a\'"\nop.execute(sql)',
    findings: ['error clear-column', 'warning update-all'],
  },
  {
    title: 'builds an index after it has dropped another',
    up: 'op.drop_index("ix_orders_user_id", table_name="orders")\nop.create_index("ix_orders_total", "orders", ["total"])',
    findings: ['error index-not-concurrent', 'warning index-not-concurrent'],
    says: ['reads of orders wait too'],
  },
  {
    title: 'builds an index of a table that it has renamed',
    up: 'op.rename_table("users", "people")\nop.create_index("ix_people_name", "people", ["name"])',
    findings: ['error index-not-concurrent', 'error rename'],
    says: ['reads of people wait too'],
    without: ['locks-several-tables'],
  },
  {
    title: 'refers to a table that it creates',
    up: 'op.create_table("plans", sa.Column("id", sa.BigInteger(), primary_key=True))\nop.create_foreign_key("fk_users_plan", "users", "plans", ["plan_id"], ["id"])',
    findings: ['error foreign-key-not-valid'],
    says: ['SHARE ROW EXCLUSIVE lock on users: ', 'writes to it wait'],
  },
  {
    title: 'writes the one row that a query finds, while a table is locked',
    up: 'op.add_column("users", sa.Column("plan", sa.Text()))\nop.execute("UPDATE users SET plan = \'a\' WHERE id = (SELECT min(u.id) FROM users u WHERE u.name = \'b\')")',
    findings: [],
    without: ['work-under-lock'],
  },
  {
    title: 'writes the rows that a query finds for each, while a table is locked',
    up: 'op.add_column("users", sa.Column("plan", sa.Text()))\nop.execute("UPDATE users SET plan = \'a\' WHERE id = (SELECT min(user_id) FROM orders WHERE user_id = users.id)")',
    findings: ['error work-under-lock'],
  },
];

const IMPLIED: readonly UnreplayedCase[] = [
  ['refers to another', 'sa.ForeignKey("users.id", ondelete="CASCADE")', 'foreign-key-not-valid'],
  ['is unique', 'unique=True', 'constraint-builds-index'],
  ['is indexed', 'index=True', 'index-not-concurrent'],
].map(([title, option, rule]) => ({
  title: `adds a column that ${title}`,
  up: `op.add_column("orders", sa.Column("owner", sa.BigInteger(), ${option}))`,
  findings: [`error ${rule}`],
}));

const TRANSACTIONS: readonly UnreplayedCase[] = [
  {
    title: 'begins a transaction in an autocommit block, in which it builds an index CONCURRENTLY',
    up: `with op.get_context().autocommit_block():
    op.execute("BEGIN")
    op.execute("CREATE INDEX CONCURRENTLY ix_users_email ON users (email)")
    op.execute("COMMIT")
    op.execute("CREATE INDEX CONCURRENTLY ix_users_name ON users (name)")`,
    findings: ['error concurrently-in-transaction'],
  },
  {
    title: 'builds an index CONCURRENTLY in an autocommit block that it opens on PostgreSQL only',
    head: 'from contextlib import nullcontext\n',
    up: 'with op.get_context().autocommit_block() if op.get_bind().engine.driver == "psycopg" else nullcontext():\n    op.execute("CREATE INDEX CONCURRENTLY ix_users_email ON users (email)")',
    findings: [],
  },
  {
    title: 'drops a primary key',
    up: 'op.drop_constraint("pk_orders", "orders", type_="primary")',
    findings: ['error drop-primary-key'],
  },
];

const CONDITIONAL: readonly UnreplayedCase[] = [
  {
    title: 'writes rows unless it has returned by what it does not know',
    up: 'if not op.get_bind().execute(sa.text("SELECT 1 FROM users")).first():\n    return\nop.execute("UPDATE users SET name = \'a\'")',
    findings: ['error clear-column', 'warning update-all'],
  },
  {
    title: 'returns if the column that it drops is not there, which no revision has made',
    up: `${COLUMNS}if "legacy" not in names:\n    return\nop.drop_column("users", "legacy")`,
    findings: ['warning drop-column'],
  },
  {
    title: 'renames a column, if it is there, which no revision has made',
    up: `${COLUMNS}if "legacy" in names:\n    op.alter_column("users", "legacy", new_column_name="old")`,
    findings: [],
  },
  {
    title: 'gives values the same one in different branches of a block, of which one runs',
    up: block(
      "IF EXISTS (SELECT FROM users WHERE id = 1) THEN UPDATE users SET name = 'a' WHERE name = 'b'; ELSIF EXISTS (SELECT FROM users WHERE id = 2) THEN UPDATE users SET name = 'a' WHERE name = 'c'; END IF;",
    ),
    findings: [],
  },
  {
    title: 'gives two values the same one in a branch of a block',
    up: block(
      "IF EXISTS (SELECT FROM users WHERE id = 1) THEN UPDATE users SET name = 'a' WHERE name = 'b'; UPDATE users SET name = 'a' WHERE name = 'c'; END IF;",
    ),
    findings: ['error clear-column'],
  },
  {
    title: 'creates a table, if it is not there, which is',
    up: 'op.execute("CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY)")\nop.create_index("ix", "users", ["email"])',
    findings: ['error index-not-concurrent'],
  },
  {
    title: 'drops an index and a constraint, if they are there, which no revision has made',
    up: 'op.execute("DROP INDEX IF EXISTS ix_no")\nop.execute("ALTER TABLE users DROP CONSTRAINT IF EXISTS pk_no")',
    findings: [],
  },
];

const PROFILES =
  'op.execute("CREATE TABLE users (id bigint PRIMARY KEY, price numeric)")\nop.create_table("profiles", sa.Column("id", sa.Integer, primary_key=True), sa.Column("user_id", sa.Integer), sa.Column("bio", sa.Text))';
const BIO = 'op.add_column("users", sa.Column("bio", sa.Text))\n';

/** What an UPDATE may have kept of what is dropped. */
const MAY_BE_KEPT: readonly UnreplayedCase[] = [
  {
    title: 'drops a table after an UPDATE has copied its columns',
    given: PROFILES,
    up: `${BIO}op.execute("UPDATE users SET bio = p.bio FROM profiles p WHERE p.user_id = users.id")\nop.drop_table("profiles")`,
    findings: ['error work-under-lock', 'warning drop-table', 'warning update-all'],
  },
  {
    title: 'drops a table after an UPDATE has copied some of its columns',
    given: PROFILES.replace('sa.Column("bio"', 'sa.Column("photo", sa.Text), sa.Column("bio"'),
    up: `${BIO}op.execute("UPDATE users SET bio = p.bio FROM profiles p WHERE p.user_id = users.id")\nop.drop_table("profiles")`,
    findings: ['error drop-table', 'error work-under-lock', 'warning update-all'],
  },
  {
    title: 'empties a column after an UPDATE has copied it to another table',
    given: PROFILES,
    up: `${BIO}op.execute("UPDATE users SET bio = p.bio FROM profiles p WHERE p.user_id = users.id")\nop.execute("UPDATE profiles SET bio = NULL")`,
    findings: ['error update-all', 'error work-under-lock', 'warning clear-column', 'warning update-all'],
  },
  {
    title: 'empties a column of a table after an UPDATE has copied it to one that was there',
    given: PROFILES.replace('price numeric', 'price numeric, bio text'),
    up: 'op.execute("UPDATE users SET bio = p.bio FROM profiles p WHERE p.user_id = users.id AND users.bio IS NULL")\nop.execute("UPDATE profiles SET bio = NULL")',
    findings: ['error update-all', 'warning clear-column'],
  },
  {
    title: 'empties another column than an UPDATE has copied',
    given: PROFILES.replace('sa.Column("bio"', 'sa.Column("photo", sa.Text), sa.Column("bio"'),
    up: `${BIO}op.execute("UPDATE users SET bio = p.bio FROM profiles p WHERE p.user_id = users.id")\nop.execute("UPDATE profiles SET photo = NULL")`,
    findings: ['error clear-column', 'error work-under-lock', 'warning update-all', 'warning update-all'],
  },
  {
    title: 'drops a column after a calculation with it',
    given: PROFILES,
    up: 'op.add_column("users", sa.Column("cents", sa.Integer))\nop.execute("UPDATE users SET cents = price * 100")\nop.drop_column("users", "price")',
    findings: ['error update-all', 'warning drop-column'],
  },
  {
    title: 'drops a column after a calculation with its length',
    given: PROFILES,
    up: 'op.add_column("users", sa.Column("size", sa.Integer))\nop.execute("UPDATE users SET size = length(name) * 2")\nop.drop_column("users", "name")',
    findings: ['error drop-column', 'error update-all'],
  },
];

const TYPES: readonly UnreplayedCase[] = [
  {
    title: 'gives a column a type that holds less than the one that it names',
    up: 'op.alter_column("orders", "user_id", existing_type=sa.BigInteger(), type_=sa.Integer())',
    down: 'op.alter_column("orders", "user_id", existing_type=sa.Integer(), type_=sa.BigInteger())',
    findings: ['error narrowing-type'],
  },
  {
    title: 'gives a column a longer type than the one that it names with a collation',
    up: 'op.alter_column("users", "name", existing_type=sa.String(collation="C", length=50), type_=sa.String(length=255))',
    findings: [],
  },
  {
    title: 'gives a column the type that SQL before has given it',
    up: 'op.execute("ALTER TABLE users ALTER name TYPE varchar(9)")\nop.alter_column("users", "name", existing_type=sa.String(50), type_=sa.String(9))',
    findings: [],
  },
  {
    title: 'gives a column a shorter type after an UPDATE of what is too long',
    up: 'op.execute("UPDATE users SET name = \'other\' WHERE length(name) > 9")\nop.alter_column("users", "name", existing_type=sa.String(50), type_=sa.String(9))',
    findings: ['warning narrowing-type'],
  },
  {
    title: 'converts a column by an expression',
    up: 'op.alter_column("users", "name", existing_type=sa.String(50), type_=sa.Boolean(), postgresql_using="name IN (\'yes\', \'true\')")',
    findings: ['error table-rewrite', 'warning narrowing-type'],
  },
  {
    title: 'converts a column by a cast',
    up: 'op.alter_column("users", "name", existing_type=sa.String(50), type_=sa.Integer(), postgresql_using="name::integer")',
    findings: ['error narrowing-type'],
  },
  ...[
    ['sa.ARRAY(sa.String())', 'sa.ARRAY(sa.Text())'],
    ['postgresql.ARRAY(sa.Text())', 'postgresql.ARRAY(sa.String())'],
    ['postgresql.ARRAY(sa.String(20))', 'postgresql.ARRAY(sa.String(50))'],
  ].map(([from, to]) => ({
    title: `gives a list of texts a type that holds as much, whose elements PostgreSQL converts: ${from}, ${to}`,
    up: `op.alter_column("users", "name", existing_type=${from}, type_=${to})`,
    findings: ['error table-rewrite'],
    without: ['narrowing-type'],
  })),
  {
    title: 'makes a text of an enum, in which each of its labels fits',
    up: 'op.alter_column("users", "name", existing_type=sa.Enum("ok", "bad", name="mood"), type_=sa.String(3))',
    findings: ['error table-rewrite'],
  },
  {
    title: 'makes a text of an enum, in which one of its labels does not fit',
    up: 'op.alter_column("users", "name", existing_type=sa.Enum("ok", "fine", name="mood"), type_=sa.String(3))',
    findings: ['error narrowing-type'],
  },
  {
    title: 'takes a larger type back, in which other values may be by now',
    up: 'op.alter_column("users", "name", type_=sa.Text())',
    down: 'op.alter_column("users", "name", type_=sa.String(20))',
    findings: ['warning downgrade-fails in the downgrade'],
  },
];

const OTHERS: readonly UnreplayedCase[] = [
  {
    title: 'turns off all triggers and foreign keys of its session',
    up: 'op.execute("SET session_replication_role = \'replica\'")\nop.execute("UPDATE orders SET note = \'a\' WHERE id = 1")',
    findings: ['error trigger-disabled'],
  },
  {
    title: 'turns on what its session has turned off',
    up: 'op.execute("SET session_replication_role = DEFAULT")\nop.execute("SET session_replication_role TO origin")',
    findings: [],
  },
  ...[
    `note = 'old'`,
    `note = 'old' AND total = 3`,
    `note IN ('a', 'b')`,
    `created_at < now() - interval '30 days'`,
    `note = 'old' AND parent_id IS NULL AND created_at >= '2024-09-29'`,
    'total BETWEEN 1 AND 100000',
    `note <> 'old'`,
    'note IS NOT NULL',
    'note IN (SELECT name FROM users)',
  ].map((where) => ({
    title: `changes rows that have a value which many may share: ${where}`,
    up: `op.execute("UPDATE orders SET total = 1 WHERE ${where}")`,
    findings: ['warning update-all'],
  })),
  ...['id = 3', `user_id = 3 AND note = 'old'`, 'orders.id IN (1, 2)', 'id > 1 AND id <= 1000', 'note IS NULL'].map((where) => ({
    title: `changes rows that it names: ${where}`,
    up: `op.execute("UPDATE orders SET total = 1 WHERE ${where}")`,
    findings: [],
  })),
  {
    title: 'makes a column NOT NULL in its downgrade, which the upgrade does not touch',
    up: 'op.execute("COMMENT ON TABLE users IS NULL")',
    down: 'op.execute("ALTER TABLE users ALTER name SET NOT NULL")',
    findings: ['warning downgrade-fails in the downgrade'],
  },
  {
    title: 'adds a column in its downgrade, fills it and makes it NOT NULL',
    up: 'op.execute("COMMENT ON TABLE users IS NULL")',
    down: 'op.add_column("users", sa.Column("plan", sa.Text()))\nop.execute("UPDATE users SET plan = \'a\'")\nop.alter_column("users", "plan", nullable=False)',
    findings: [],
  },
  {
    title: 'changes roles, a database and the server',
    up: ['ROLE app SET statement_timeout = 0', 'DATABASE shop SET work_mem = 64', "SYSTEM SET work_mem = '64MB'"]
      .map((what) => `op.execute("ALTER ${what}")`)
      .join('\n'),
    findings: ['error concurrently-in-transaction', 'warning access-changed', 'warning access-changed', 'warning access-changed'],
  },
  {
    title: 'moves a column by way of a third one',
    up: [
      'op.execute("ALTER TABLE users ADD COLUMN moved text")',
      'op.execute("UPDATE users SET moved = name")',
      'op.execute("ALTER TABLE users ADD COLUMN full_name text")',
      'op.execute("UPDATE users SET full_name = moved")',
      'op.drop_column("users", "moved")',
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['error update-all', 'error update-all'],
  },
];

/** What a reader of the file knows of a connection, an argument or a type. */
const MEANT: readonly UnreplayedCase[] = [
  {
    title: 'commits a connection of its own',
    up: 'with sa.create_engine("postgresql://").connect() as own:\n    own.commit()\nother = sa.create_engine("postgresql://").connect()\nother.commit()',
    findings: [],
  },
  {
    title: 'commits the session of the application',
    up: 'for one in db.session.execute(sa.text("SELECT 1")):\n    db.session.commit()',
    findings: ['warning other-connection'],
  },
  {
    title: 'commits a session that it has not bound',
    up: 'session = sa.orm.sessionmaker()()\nfor one in (1, 2):\n    session.commit()',
    findings: ['warning other-connection'],
  },
  {
    title: 'commits a session on the connection of Alembic',
    up: 'session = sa.orm.Session(bind=op.get_bind())\nsession.commit()',
    findings: [],
    without: ['other-connection'],
  },
  {
    title: 'works on an engine of the application',
    head: 'from shop_data import engine\n',
    up: 'with engine.begin() as own:\n    own.execute(sa.text("UPDATE users SET name = \'a\' WHERE id = 1"))',
    findings: ['warning other-connection'],
  },
  {
    title: 'works on an engine that a function of the application returns',
    head: 'from shop_data import get_engine\n',
    up: 'own = get_engine().connect()\nown.execute(sa.text("UPDATE users SET name = \'a\' WHERE id = 1"))',
    findings: ['warning other-connection'],
  },
  {
    title: 'calls the connection of Alembic an engine',
    up: 'engine = op.get_bind()\nengine.execute(sa.text("UPDATE users SET name = \'a\' WHERE id = 1"))',
    findings: [],
    without: ['other-connection'],
  },
  {
    title: 'calls the connection of Alembic a database, and commits it',
    up: 'db = op.get_bind()\ndb.commit()',
    down: 'db = op.get_bind()\ndb.execute(sa.text("SELECT 1"))',
    findings: ['error bind-commit'],
    without: ['other-connection'],
  },
  {
    title: 'commits a connection of its own that has the name of Alembic’s in another function',
    head: 'from shop import create_shop_engine\n',
    up: 'with create_shop_engine().connect() as conn:\n    conn.execute(sa.text("SELECT 1"))\n    conn.commit()',
    down: 'conn = op.get_bind()',
    findings: [],
    without: ['bind-commit'],
  },
  {
    title: 'adds a foreign key in the statement that drops another one',
    up: 'op.execute("ALTER TABLE orders DROP CONSTRAINT fk_old, ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users (id)")',
    down: 'op.drop_constraint("fk_orders_user", "orders")',
    findings: ['error foreign-key-not-valid'],
    says: ['reads of orders wait too, because '],
  },
  {
    title: 'makes a text shorter without a USING',
    up: 'op.alter_column("users", "name", existing_type=sa.String(100), type_=sa.String(50))',
    findings: ['error narrowing-type'],
    says: ['a value that does not fit makes the revision fail"'],
  },
  {
    title: 'builds an index on a connection of its own',
    head: 'from shop import create_shop_engine\n',
    up: 'with create_shop_engine().begin() as conn:\n    conn.execute(sa.text("CREATE INDEX ix_users_name ON users (name)"))',
    down: 'op.drop_index("ix_users_name")',
    findings: ['error index-not-concurrent'],
    says: ['SHARE lock on users until the statement is done'],
  },
  {
    title: 'builds an index concurrently in the transaction of a connection of its own',
    head: 'from shop import create_shop_engine\n',
    up: 'with create_shop_engine().begin() as conn:\n    conn.execute(sa.text("CREATE INDEX CONCURRENTLY ix_users_name ON users (name)"))',
    down: 'op.drop_index("ix_users_name")',
    findings: ['error concurrently-in-transaction'],
  },
  {
    title: 'adds a foreign key to a table that it leaves empty',
    up: 'op.create_table("plans", sa.Column("name", sa.String(100), primary_key=True))\nop.create_foreign_key("fk_plan", "users", "plans", ["name"], ["name"])',
    down: 'op.drop_constraint("fk_plan", "users")\nop.drop_table("plans")',
    findings: ['error foreign-key-not-valid'],
    says: ['plans has no rows then, so the revision fails if a row of users has a value in name'],
  },
  {
    title: 'adds a foreign key to a table that it fills',
    up: 'op.create_table("plans", sa.Column("name", sa.String(100), primary_key=True))\nop.execute("INSERT INTO plans SELECT DISTINCT name FROM users WHERE id > 1")\nop.create_foreign_key("fk_plan", "users", "plans", ["name"], ["name"])',
    down: 'op.drop_constraint("fk_plan", "users")\nop.drop_table("plans")',
    findings: ['error foreign-key-not-valid'],
    says: ['reads continue"'],
  },
  {
    title: 'replaces a view by one with fewer columns',
    given: 'op.execute("CREATE VIEW names AS SELECT 1 AS id, 2 AS name")',
    up: 'op.execute("DROP VIEW names")\nop.execute("CREATE VIEW names AS SELECT 1 AS id")',
    down: 'op.execute("DROP VIEW names")\nop.execute("CREATE VIEW names AS SELECT 1 AS id, 2 AS name")',
    findings: ['warning drop-in-use'],
  },
  {
    title: 'replaces a view by one with more columns',
    given: 'op.execute("CREATE VIEW names AS SELECT 1 AS id")',
    up: 'op.execute("DROP VIEW names")\nop.execute("CREATE VIEW names AS SELECT 1 AS id, 2 AS name")',
    down: 'op.execute("DROP VIEW names")\nop.execute("CREATE VIEW names AS SELECT 1 AS id")',
    findings: [],
    without: ['drop-in-use'],
  },
  {
    title: 'rewrites all tables',
    up: 'with op.get_context().autocommit_block():\n    op.execute("VACUUM FULL")\n    op.execute("CLUSTER")',
    findings: ['error table-rewrite', 'error table-rewrite'],
    says: ['VACUUM FULL without a table rewrites each table of the database', 'each table that was clustered before'],
  },
  {
    title: 'makes a table unlogged',
    up: 'op.execute("ALTER TABLE users SET UNLOGGED")',
    down: 'op.execute("ALTER TABLE users SET LOGGED")',
    findings: ['error unlogged-table', 'warning table-rewrite'],
    says: ['a crash or a failover empties it'],
  },
  {
    title: 'creates a trigger for MySQL',
    up: 'op.execute("CREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW\\nBEGIN\\nIF NEW.id > 1 THEN\\nUPDATE orders SET note = NULL;\\nEND IF;\\nEND")',
    findings: [],
  },
  {
    title: 'renames a type',
    given: 'op.execute("CREATE TYPE mood AS ENUM (\'ok\')")',
    up: 'op.execute("ALTER TYPE mood RENAME TO moods")',
    down: 'op.execute("ALTER TYPE moods RENAME TO mood")',
    findings: ['error rename'],
    says: ['running code that names it fails'],
  },
  {
    title: 'drops a materialized view',
    given: 'op.execute("CREATE MATERIALIZED VIEW orders_per_day AS SELECT 1")',
    up: 'op.execute("DROP MATERIALIZED VIEW orders_per_day")',
    findings: ['error drop-materialized-view'],
    says: ['removes its stored rows: queries on it fail until it is rebuilt from its tables'],
  },
  {
    title: 'calls a function of its own that commits by SQL',
    head: 'def commit():\n    op.execute(sa.text("commit"))\n',
    up: 'op.execute("UPDATE users SET name = \'a\' WHERE id = 1")\ncommit()',
    findings: ['error raw-commit'],
  },
  {
    title: 'commits by SQL after other statements, again and again',
    up: 'op.execute("INSERT INTO users (id) VALUES (1);\\ncommit;")\nop.execute("INSERT INTO users (id) VALUES (2);COMMIT WORK")',
    findings: ['error raw-commit'],
    says: ['also at line'],
    without: ['ddl-before-autocommit'],
  },
  {
    title: 'commits the connection of Alembic',
    up: 'connection = op.get_bind()\nconnection.commit()',
    findings: ['error bind-commit'],
  },
  {
    title: 'calls a function with an argument that leaves its COMMIT out',
    head: 'def work(upgrade=True):\n    if upgrade:\n        op.execute("COMMIT")\n',
    up: 'pass',
    down: 'upgrade = False\nwork(upgrade)\nwork(upgrade=False)',
    findings: [],
  },
  {
    title: 'calls a function with a default by which it runs COMMIT',
    head: 'def work(upgrade=True):\n    if upgrade:\n        op.execute("COMMIT")\n',
    up: 'pass',
    down: 'work()',
    findings: ['error raw-commit in the downgrade'],
  },
  {
    title: 'adds an integer key, which is a serial',
    given: 'op.execute("CREATE TABLE users (email text)")',
    up: 'op.add_column("users", sa.Column("id", sa.Integer(), primary_key=True))',
    findings: ['error table-rewrite'],
  },
  {
    title: 'adds an integer key that is no serial',
    given: 'op.execute("CREATE TABLE users (email text)")',
    up: 'op.add_column("users", sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False))',
    findings: ['error not-null-without-default'],
  },
];

const USERS = 'users = sa.table("users", sa.column("id"), sa.column("name"), sa.column("email"), sa.column("note"))\n';
const MODEL = `
from sqlalchemy import orm

class User(orm.declarative_base()):
    __tablename__ = "users"
    id = sa.Column(sa.BigInteger, primary_key=True)
    name = sa.Column(sa.Text)
    email = sa.Column(sa.Text)
`;
const INDEXED =
  'op.create_index("ux_totals", "totals", ["user_id"], unique=True)\nop.execute("CREATE INDEX ix_totals ON totals (total)")';
const TOTALS = 'CREATE MATERIALIZED VIEW totals AS SELECT user_id, sum(total) AS total FROM orders GROUP BY user_id';
const USED = [
  'op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("name", sa.Text()), sa.Column("email", sa.Text()))',
  'op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("user_id", sa.BigInteger()), sa.Column("total", sa.Text()))',
].join('\n');

/** What Python does with rows, and relations that are no tables. */
const ROWS: readonly UnreplayedCase[] = [
  {
    title: 'makes indexes of a materialized view of an earlier revision',
    given: `${USED}\nop.execute("${TOTALS}")`,
    up: INDEXED,
    findings: ['warning index-not-concurrent', 'warning index-not-concurrent'],
  },
  {
    title: 'makes and drops indexes of a partitioned table, which was made under another name',
    given: [
      'op.create_table("items_new", sa.Column("id", sa.BigInteger()), sa.Column("name", sa.Text()), postgresql_partition_by="HASH (id)")',
      'op.execute("CREATE TABLE marks (id bigint, name text) PARTITION BY HASH (id)")',
      'op.rename_table("items_new", "items")',
      'op.create_index("ix_items_id", "items", ["id"])',
    ].join('\n'),
    up: [
      'op.create_index("ix_items_name", "items", ["name"])',
      'op.execute("CREATE INDEX ix_marks_name ON marks (name)")',
      'op.drop_index("ix_items_id", "items")',
    ].join('\n'),
    findings: ['error index-not-concurrent', 'error index-not-concurrent', 'warning index-not-concurrent'],
    advises: ['ix_items_name ON ONLY items', 'ix_marks_name ON ONLY marks', 'op.execute("DROP INDEX IF EXISTS ix_items_id")'],
  },
  {
    title: 'sets columns of rows in a function that gets them',
    head: `${MODEL}\ndef rename(user):\n    user.name = user.name.title()\n`,
    up: 'for user in orm.Session(op.get_bind()).query(User):\n    rename(user)',
    findings: ['warning unbatched-loop', 'warning clear-column'],
  },
  {
    title: 'writes what it has collected from rows',
    head: USERS,
    up: [
      'found = []',
      'for user in op.get_bind().execute(sa.select(users.c.id, users.c.name)):',
      '    found.append({"key": user.id, "note": user.name.title()})',
      'op.get_bind().execute(users.update().where(users.c.id == sa.bindparam("key")).values(note=sa.bindparam("note")), found)',
    ].join('\n'),
    findings: ['warning unbatched-loop'],
  },
  {
    title: 'sets an attribute of what is no row in a loop',
    head: `${USERS}from shop_data import SETTINGS\n`,
    up: 'for setting in SETTINGS.list():\n    setting.name = "a"\nop.get_bind().execute(sa.select(users.c.id)).fetchall()',
    findings: [],
    without: ['unbatched-loop'],
  },
  {
    title: 'changes a document of each row',
    head: MODEL,
    up: 'for user in orm.Session(op.get_bind()).query(User):\n    user.name["theme"] = "dark"',
    findings: ['warning unbatched-loop'],
  },
  {
    title: 'drops a column from whose values Python has made others',
    head: USERS,
    up: [
      'op.add_column("users", sa.Column("note", sa.Text()))',
      'op.execute("COMMIT")',
      'for user in op.get_bind().execute(sa.select(users.c.id, users.c.name)):',
      '    op.get_bind().execute(users.update().where(users.c.id == user.id).values(note=[user.name] if user.name else None))',
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['error raw-commit', 'warning drop-column'],
  },
  {
    title: 'drops a column from whose values Python has made others by SQL',
    head: 'import json\n',
    up: [
      'op.add_column("users", sa.Column("note", sa.Text()))',
      'op.execute("COMMIT")',
      'for key, name in op.get_bind().execute(sa.text("SELECT id, name FROM users")):',
      '    op.get_bind().execute(sa.text("UPDATE users SET note = :note WHERE id = :id"), {"id": key, "note": json.dumps({"name": name})})',
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['error raw-commit', 'warning drop-column'],
  },
  {
    title: 'drops a column of which Python has read another',
    head: USERS,
    up: [
      'for user in op.get_bind().execute(sa.select(users.c.id, users.c.email)):',
      '    op.get_bind().execute(users.update().where(users.c.id == user.id).values(note=user.email.lower()))',
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['error drop-column'],
  },
  {
    title: 'writes a document again that Python has copied and completed',
    head: MODEL,
    up: 'for user in orm.Session(op.get_bind()).query(User):\n    name = dict(user.name)\n    name["theme"] = "dark"\n    user.name = name',
    findings: ['warning unbatched-loop', 'warning clear-column'],
  },
  {
    title: 'drops a column that Python has read',
    head: 'def keep(name):\n    pass\n',
    up: [
      'for (name,) in op.get_bind().execute(sa.text("SELECT name FROM users")).fetchall():',
      '    keep(name)',
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['warning drop-column'],
  },
  {
    title: 'drops a column whose value Python tests to choose another',
    head: MODEL,
    up: [
      'session = orm.Session(op.get_bind())',
      'users = session.query(User).all()',
      'for user in users:',
      '    user.email = "yes" if user.name else "no"',
      'session.bulk_save_objects(users)',
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['warning drop-column'],
  },
  {
    title: 'drops a column of whole rows that Python formats into statements',
    up: [
      'for user in op.get_bind().execute(sa.text("SELECT * FROM users")).fetchall():',
      `    op.execute("INSERT INTO orders (total) VALUES ('{0}')".format(user.name))`,
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['warning drop-column'],
  },
  {
    title: 'drops a column from whose values Python lists other rows',
    head: 'from shop import Orders\n',
    up: [
      'found = op.get_bind().execute(sa.text("SELECT id, name FROM public.users")).fetchall()',
      'rows = [dict(user_id=user[0], total=user[1]["total"]) for user in found if user[1] is not None]',
      'op.get_bind().execute(Orders.insert(), rows)',
      'op.drop_column("users", "name")',
      'op.drop_column("users", "email")',
    ].join('\n'),
    findings: ['warning drop-column', 'error drop-column'],
  },
  {
    title: 'drops a table and a column that pandas has read',
    head: 'import pandas as pd\n',
    up: [
      'pd.read_sql_table("orders", con=op.get_bind()).to_csv("orders.csv")',
      'frame = pd.read_sql("SELECT id, name FROM users", op.get_bind())',
      'op.drop_table("orders")',
      'op.drop_column("users", "name")',
      'op.drop_column("users", "email")',
    ].join('\n'),
    findings: ['warning drop-table', 'warning drop-column', 'error drop-column'],
  },
  {
    title: 'drops a table whose rows Python has read',
    head: 'from shop import keep\n',
    up: [
      'for row in op.get_bind().execute(sa.text("SELECT * FROM orders")):',
      '    keep(**row._mapping)',
      'op.drop_table("orders")',
    ].join('\n'),
    findings: ['warning drop-table'],
  },
  {
    title: 'drops a column whose values Python has numbered and changed',
    head: `${USERS}from shop import changed\n`,
    up: [
      'op.add_column("users", sa.Column("note", sa.Text()))',
      'for number, user in enumerate(op.get_bind().execute(sa.select(users.c.id, users.c.name))):',
      '    op.get_bind().execute(sa.update(users).where(users.c.id == user.id).values(note=changed(user.name)))',
      'op.drop_column("users", "name")',
    ].join('\n'),
    findings: ['error work-under-lock', 'warning drop-column'],
  },
  {
    title: 'drops the sequence of a table that it has dropped',
    up: 'op.drop_table("orders")\nop.execute("DROP SEQUENCE IF EXISTS orders_id_seq")\nop.execute("DROP SEQUENCE tickets_id_seq")',
    findings: ['error drop-table', 'error drop-sequence'],
  },
  {
    title: 'drops tables of a schema, each with its sequence',
    up: [
      'for name in sa.inspect(op.get_bind()).get_table_names(schema="archive"):',
      '    op.drop_table(name, schema="archive")',
      '    op.execute(f"DROP SEQUENCE IF EXISTS archive.{name}_id_seq")',
    ].join('\n'),
    findings: ['error drop-table'],
  },
  {
    title: 'drops a flag of which two updates keep both values',
    given: 'op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("active", sa.Boolean()))',
    up: [
      'op.add_column("users", sa.Column("state", sa.Text()))',
      'op.add_column("users", sa.Column("mode", sa.Text()))',
      `op.execute("UPDATE users SET state = 'on' WHERE active = true")`,
      `op.execute("UPDATE users SET state = 'off' WHERE NOT active")`,
      'op.drop_column("users", "active")',
    ].join('\n'),
    findings: [
      'error work-under-lock',
      'error work-under-lock',
      'warning drop-column',
      'warning update-all',
      'warning update-all',
    ],
  },
  {
    title: 'drops a flag of which two updates keep one value',
    given: 'op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("active", sa.Boolean()))',
    up: [
      'op.add_column("users", sa.Column("state", sa.Text()))',
      `op.execute("UPDATE users SET state = 'on' WHERE active = true")`,
      `op.execute("UPDATE users SET state = 'on' WHERE active = false")`,
      'op.drop_column("users", "active")',
    ].join('\n'),
    findings: ['error work-under-lock', 'error work-under-lock', 'error drop-column', 'warning update-all', 'warning update-all'],
  },
  {
    title: 'updates rows after it has dropped a trigger or a policy of the table',
    up: [
      'op.execute("DROP TRIGGER touch ON users")',
      'op.execute("DROP POLICY own ON orders")',
      `op.execute("UPDATE users SET email = 'x' WHERE id > 3")`,
      `op.execute("UPDATE orders SET total = 'x' WHERE id > 3")`,
    ].join('\n'),
    findings: ['error work-under-lock', 'error work-under-lock'],
  },
  {
    title: 'deletes rows by a kind, by keys that Python computes, and by named keys',
    head: 'from shop import keys\n',
    up: [
      `op.execute("DELETE FROM orders WHERE total = 'old'")`,
      `op.execute("DELETE FROM orders WHERE id IN (3, 4)")`,
      `op.execute(f"DELETE FROM users WHERE email IN ('{keys()}')")`,
    ].join('\n'),
    findings: ['warning delete-by-query', 'warning delete-by-query'],
  },
  {
    title: 'gives columns a narrower and a wider type by SQL, as its downgrade shows',
    up: 'op.execute("ALTER TABLE orders ALTER total TYPE integer, ALTER note TYPE text")',
    down: 'op.execute("ALTER TABLE orders ALTER total TYPE double precision, ALTER note TYPE varchar(50)")',
    findings: ['error narrowing-type', 'warning table-rewrite', 'warning table-rewrite'],
    says: ['orders.total changes from float8 to int4'],
  },
  {
    title: 'updates one of the tables that it has locked',
    up: [
      'op.add_column("orders", sa.Column("a", sa.Text()))',
      'op.add_column("users", sa.Column("a", sa.Text()))',
      'op.execute("UPDATE users SET a = name WHERE id > 3")',
    ].join('\n'),
    findings: ['error work-under-lock'],
    says: ['lock on users has been held since'],
  },
  {
    title: 'updates rows one by one under a lock',
    up: [
      'op.add_column("users", sa.Column("digest", sa.Text()))',
      'for row in op.get_bind().execute(sa.text("SELECT id, name FROM users")):',
      `    op.execute(f"UPDATE users SET digest = '{hash(row.name)}' WHERE id = {row.id}")`,
    ].join('\n'),
    findings: ['error work-under-lock'],
    advises: ['# in a separate revision: some rows at a time, by key'],
  },
  {
    title: 'deletes one row by a key that a query finds',
    up: [
      `key = op.get_bind().scalar(sa.text("SELECT id FROM users WHERE name = 'spam'"))`,
      'if key:\n    op.execute(f"DELETE FROM users WHERE id = {key}")',
      'op.execute(f"DELETE FROM orders WHERE user_id = {key}")',
    ].join('\n'),
    findings: ['warning delete-by-query', 'error delete-by-query'],
    says: ['loses the row of users that its condition names'],
  },
  {
    title: 'deletes rows by their keys, one by one',
    up: `for row in op.get_bind().execute(sa.text("SELECT id FROM users WHERE spam")):\n    op.execute(f"DELETE FROM users WHERE id = {row.id}")`,
    findings: ['error delete-by-query'],
  },
  {
    title: 'deletes rows by named values that its downgrade inserts',
    up: `op.execute("DELETE FROM orders WHERE total = 'old'")\nop.execute("DELETE FROM users WHERE status = 'x'")`,
    down: `op.execute("INSERT INTO orders (total) VALUES ('old')")`,
    findings: ['warning delete-by-query'],
  },
  {
    title: 'drops columns of which a range holds both',
    up: [
      'op.execute("ALTER TABLE users ADD COLUMN active tstzrange")',
      'op.execute("UPDATE users SET active = tstzrange(begins_at, ends_at, \'[)\')")',
      'op.drop_column("users", "begins_at")\nop.drop_column("users", "ends_at")',
    ].join('\n'),
    findings: ['error update-all', 'warning drop-column', 'warning drop-column'],
  },
  {
    title: 'writes rows in a function within another',
    up: [
      'def rename(key):',
      '    op.get_bind().execute(sa.text("INSERT INTO orders (user_id) VALUES (:id)"), {"id": key})',
      'for (key,) in op.get_bind().execute(sa.text("SELECT id FROM users")).fetchall():',
      '    rename(key)',
    ].join('\n'),
    findings: ['warning unbatched-loop'],
  },
  {
    title: 'fills what an earlier UPDATE has left NULL',
    up: [
      'op.add_column("users", sa.Column("kind", sa.Text()))',
      "op.execute(\"UPDATE users SET kind = 'a' WHERE email = 'x'\")",
      'op.execute("UPDATE users SET kind = \'b\' WHERE kind IS NULL")',
    ].join('\n'),
    findings: ['error work-under-lock', 'warning update-all'],
  },
  {
    // Replayed, it would change the tables of other cases.
    title: 'changes the privileges of what is created later',
    up: [
      'op.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")',
      'op.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")',
      'op.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO pg_monitor")',
    ].join('\n'),
    findings: ['warning access-changed', 'warning access-changed'],
    says: ['PUBLIC no longer gets EXECUTE on functions', 'gets SELECT on tables that are created later'],
  },
  {
    title: 'gives a sequence a smaller type, and one that it creates',
    up: 'op.execute("ALTER SEQUENCE tickets AS integer")\nop.execute("CREATE SEQUENCE tallies")\nop.execute("ALTER SEQUENCE tallies AS integer")',
    findings: ['error narrowing-type'],
    says: ['tickets ends at 2,147,483,647'],
  },
  {
    title: 'replaces a function that the downgrade puts back, and creates one',
    up: [
      'op.execute("CREATE OR REPLACE FUNCTION total() RETURNS int LANGUAGE sql AS \'SELECT 2\'")',
      'op.execute("CREATE OR REPLACE FUNCTION fresh() RETURNS int LANGUAGE sql AS \'SELECT 2\'")',
    ].join('\n'),
    down: [
      'op.execute("DROP FUNCTION fresh()")',
      'op.execute("CREATE OR REPLACE FUNCTION total() RETURNS int LANGUAGE sql AS \'SELECT 1\'")',
    ].join('\n'),
    findings: ['warning replaced-in-use'],
    says: ['the function total is redefined'],
  },
  {
    title: 'fills a table that it creates with its own numbers',
    up: [
      'op.execute("CREATE TABLE plans_of_users (id bigserial PRIMARY KEY, code text)")',
      'op.execute("INSERT INTO plans_of_users (id, code) VALUES (1, \'free\')")',
      'op.execute("INSERT INTO plans_of_users (code) VALUES (\'team\')")',
    ].join('\n'),
    down: 'op.drop_table("plans_of_users")',
    findings: ['warning sequence-out-of-sync'],
  },
  {
    title: 'empties a materialized view, which fills nothing under the lock',
    up: 'op.execute("REFRESH MATERIALIZED VIEW totals WITH NO DATA")',
    findings: ['error drop-materialized-view'],
  },
  {
    title: 'creates a materialized view and its unique index',
    up: 'op.execute("CREATE MATERIALIZED VIEW totals AS SELECT id FROM users")\nop.execute("CREATE UNIQUE INDEX uq_totals ON totals (id)")',
    down: 'op.execute("DROP MATERIALIZED VIEW totals")',
    findings: [],
    without: ['unique-on-existing-rows'],
  },
  {
    title: 'gives a text another type, by a cast that truncates nothing',
    up: 'op.execute("ALTER TABLE users ALTER email TYPE jsonb USING email::jsonb")',
    down: 'op.execute("ALTER TABLE users ALTER email TYPE text")',
    findings: ['error narrowing-type'],
    says: ['to jsonb: a value that does not fit makes the revision fail"'],
  },
  {
    title: 'empties a table that it then drops',
    up: 'op.execute("DELETE FROM users")\nop.drop_table("users")',
    findings: ['error drop-table', 'warning delete-all'],
    says: ['the rows of users are lost anyway: line'],
  },
  {
    title: 'takes a table out of its parent',
    up: 'op.execute("ALTER TABLE orders NO INHERIT documents")',
    findings: ['error detach-partition'],
    says: ['takes its rows out of queries of the parent'],
  },
  {
    title: 'drops a unique constraint without its type, which the downgrade shows',
    up: 'op.drop_constraint("uq_users_name", "users")',
    down: 'op.create_unique_constraint("uq_users_name", "users", ["name"])',
    findings: ['warning unique-dropped'],
    says: ['ON CONFLICT (name)'],
  },
  {
    title: 'builds an index after COMMIT, in a text of several lines',
    up: 'op.execute("COMMIT")\nop.execute(\n    """\n    DROP INDEX CONCURRENTLY ix_orders_user_id\n    """\n)',
    findings: ['error raw-commit'],
  },
  {
    title: 'replaces an index in one text, which does not name the table of the dropped one',
    up: 'op.execute("""\nDROP INDEX ix_orders_user_id;\nCREATE INDEX ix_orders_user_id ON orders (user_id, id);\n""")',
    findings: ['error index-not-concurrent', 'warning index-not-concurrent'],
    says: ['reads of orders wait too, because line', 'ACCESS EXCLUSIVE lock on orders: it waits'],
  },
  {
    title: 'builds an index after COMMIT, where only some drivers open another transaction',
    up: 'op.execute("COMMIT")\nop.create_index("ix_users_name", "users", ["name"], postgresql_concurrently=True)\nop.execute("DROP INDEX CONCURRENTLY ix_orders_user_id")',
    findings: ['error raw-commit'],
  },
  {
    title: 'builds an index on a connection of its own that commits each statement',
    up: [
      'with op.get_bind().engine.connect() as own:',
      '    own = own.execution_options(isolation_level="AUTOCOMMIT")',
      '    own.execute(sa.text("CREATE INDEX CONCURRENTLY ix_users_name ON users (name)"))',
    ].join('\n'),
    findings: [],
  },
  {
    title: 'builds an index on a connection of its own, in a transaction',
    up: 'with op.get_bind().engine.connect() as own:\n    own.execute(sa.text("CREATE INDEX CONCURRENTLY ix_users_name ON users (name)"))',
    findings: ['error concurrently-in-transaction'],
  },
  {
    title: 'drops a table whose schema is not known',
    head: 'import os\n',
    up: 'op.drop_table(os.environ["SCHEMA"] + ".gone")',
    findings: ['error drop-table'],
  },
  {
    title: 'says how long the rows of a new table are kept',
    up: [
      'op.execute("CREATE TABLE metrics (at timestamptz NOT NULL)")',
      "op.execute(\"SELECT add_retention_policy('metrics', INTERVAL '30 days')\")",
    ].join('\n'),
    findings: [],
  },
  {
    title: 'says how long the rows of a table are kept',
    up: "op.execute(\"SELECT add_retention_policy('users', INTERVAL '30 days')\")",
    findings: ['error delete-all'],
  },
  {
    title: 'enters an autocommit block by an ExitStack',
    head: 'from contextlib import ExitStack\n',
    up: [
      'with ExitStack() as stack:',
      '    stack.enter_context(op.get_context().autocommit_block())',
      '    op.execute("CREATE INDEX CONCURRENTLY ix_users_name ON users (name)")',
    ].join('\n'),
    findings: [],
  },
  {
    title: 'gives other rows one value in the downgrade',
    up: 'op.add_column("users", sa.Column("note", sa.Text()))',
    down: 'op.execute("UPDATE orders SET status = \'new\' WHERE status = \'archived\'")\nop.drop_column("users", "note")',
    findings: ['warning downgrade-changes-more in the downgrade'],
  },
  {
    title: 'gives rows one value in the downgrade that the upgrade has allowed another',
    up: 'op.execute("ALTER TYPE status ADD VALUE \'archived\'")',
    down: "op.execute(\"UPDATE orders SET status = 'new' WHERE status = 'archived'\")",
    findings: [],
  },
];

/** What an upgrade has emptied, what is there already, and what it makes again. */
const KNOWN: readonly UnreplayedCase[] = [
  {
    title: 'changes a table that it has emptied',
    up: [
      'op.execute("TRUNCATE users, orders")',
      'op.alter_column("users", "name", existing_type=sa.Text(), type_=sa.String(3))',
      'op.execute("ALTER TABLE users ALTER email TYPE varchar(3) USING email::varchar(3), ALTER email SET NOT NULL")',
      'op.execute("UPDATE users SET email = NULL")',
      'op.create_index("ix_users_email", "users", ["email"])',
    ].join('\n'),
    findings: ['error truncate', 'error truncate', 'warning convert-column', 'warning clear-column'],
  },
  {
    title: 'adds a column that inserts must give to a table that it has emptied',
    up: 'op.execute("DELETE FROM users")\nop.add_column("users", sa.Column("plan", sa.Text(), nullable=False))',
    findings: ['error delete-all', 'error not-null-without-default'],
  },
  {
    title: 'changes a table that it has emptied and filled',
    up: 'op.execute("DELETE FROM users")\nop.execute("INSERT INTO users (name) SELECT note FROM orders")\nop.alter_column("users", "name", existing_type=sa.Text(), type_=sa.String(3))',
    findings: ['error delete-all', 'error narrowing-type'],
  },
  {
    title: 'changes a table that an earlier transaction has emptied',
    up: 'op.execute("TRUNCATE users")\nop.execute("COMMIT")\nop.alter_column("users", "name", existing_type=sa.Text(), type_=sa.String(3))',
    findings: ['error truncate', 'error raw-commit', 'error narrowing-type'],
  },
  {
    title: 'makes a column NOT NULL that is NOT NULL since its table was created, or later',
    given: `${'op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("name", sa.Text(), nullable=False), sa.Column("email", sa.Text()))'}\nop.execute("ALTER TABLE users ALTER email SET NOT NULL")`,
    up: 'op.alter_column("users", "id", nullable=False)\nop.execute("ALTER TABLE users ALTER COLUMN name SET NOT NULL")\nop.alter_column("users", "email", nullable=False)',
    findings: [],
  },
  {
    title: 'makes a column NOT NULL that was, until a revision allowed NULL',
    given: `${'op.create_table("users", sa.Column("name", sa.Text(), nullable=False))'}\nop.alter_column("users", "name", nullable=True)`,
    up: 'op.alter_column("users", "name", nullable=False)',
    findings: ['error set-not-null-scan'],
  },
  {
    title: 'says that a column is NOT NULL already',
    up: 'op.alter_column("users", "name", existing_nullable=False, nullable=False)',
    findings: [],
  },
  {
    title: 'drops a column of a table that it has emptied',
    up: 'op.execute("DELETE FROM users")\nop.drop_column("users", "name")',
    findings: ['error delete-all', 'warning drop-column'],
  },
  {
    title: 'empties a column of each row whose value Python has written to another',
    head: USERS,
    up: [
      'op.add_column("users", sa.Column("note", sa.Text()))',
      'rows = op.get_bind().execute(sa.select(users.c.id, users.c.email).where(users.c.email.isnot(None))).fetchall()',
      'for key, email in rows:',
      '    found = email.lower()',
      '    op.get_bind().execute(users.update().where(users.c.id == key).values(note=found, email=None))',
    ].join('\n'),
    findings: ['error work-under-lock', 'warning clear-column', 'warning unbatched-loop'],
  },
  {
    title: 'downloads what a function of the file reads',
    head: 'import requests\nimport stripe\ndef rates():\n    return requests.get("https://example.com").json()\n',
    up: 'rates()\nstripe.Customer.list()',
    findings: ['warning reads-outside', 'warning reads-outside'],
  },
  {
    title: 'stamps another revision',
    up: 'op.execute("UPDATE alembic_version SET version_num = \'a\'")',
    findings: ['error version-table-written'],
  },
  {
    title: 'makes a unique constraint in place of a primary key',
    up: 'op.drop_constraint("pk_orders", "orders", type_="primary")\nop.create_unique_constraint("uq_orders", "orders", ["id"])',
    findings: ['warning drop-primary-key', 'error constraint-builds-index'],
  },
  {
    title: 'makes another primary key after it has renamed the table',
    up: [
      'op.drop_constraint("pk_orders", "orders", type_="primary")',
      'op.rename_table("orders", "purchases")',
      'op.create_primary_key("pk_purchases", "purchases", ["id", "user_id"])',
    ].join('\n'),
    findings: ['error rename', 'error constraint-builds-index'],
  },
  {
    title: 'makes a primary key before the other one is dropped from the renamed table',
    up: [
      'op.rename_table("orders", "purchases")',
      'op.drop_constraint("pk_orders", "purchases", type_="primary")',
      'op.create_primary_key("pk_purchases", "purchases", ["id", "user_id"])',
    ].join('\n'),
    findings: ['error rename', 'error constraint-builds-index'],
  },
  {
    title: 'places a label after one that it has added',
    given: `op.execute("CREATE TYPE mood AS ENUM ('ok')")`,
    up: [
      `op.execute("ALTER TYPE mood ADD VALUE 'good' AFTER 'ok'")`,
      `op.execute("ALTER TYPE mood ADD VALUE 'best' AFTER 'good'")`,
      `op.execute("ALTER TYPE mood ADD VALUE 'fine' BEFORE 'good'")`,
    ].join('\n'),
    findings: [],
  },
  {
    title: 'adds a column that is the primary key, in place of another',
    up: 'op.drop_constraint("pk_orders", "orders", type_="primary")\nop.execute("ALTER TABLE orders ADD COLUMN key bigint DEFAULT 1 PRIMARY KEY")',
    findings: ['error constraint-builds-index'],
  },
  {
    title: 'adds a label to two types, of which it asks the catalog',
    up: ['mood', 'status']
      .map((type) =>
        block(`IF NOT EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'SENT') THEN ALTER TYPE ${type} ADD VALUE 'SENT'; END IF;`),
      )
      .join('\n'),
    findings: [],
  },
  {
    title: 'uses a label that it has added',
    up: 'op.execute("ALTER TYPE status ADD VALUE \'SENT\'")\nop.execute("UPDATE orders SET status = \'SENT\' WHERE id = 3")',
    findings: ['error enum-value-in-transaction'],
  },
];

const swap = (labels: string) =>
  [
    'op.execute("ALTER TYPE mood RENAME TO mood_old")',
    `op.execute("CREATE TYPE mood AS ENUM (${labels})")`,
    'op.execute("ALTER TABLE users ALTER COLUMN name TYPE mood USING name::text::mood")',
    'op.execute("DROP TYPE mood_old")',
  ].join('\n');

const typed = (before: string, after: string) =>
  `op.alter_column("users", "name", existing_type=sa.${before}, type_=sa.${after})`;

/** Types of columns that the operation names. */
const RETYPED: readonly UnreplayedCase[] = [
  { title: 'makes a text a varchar', up: typed('TEXT()', 'Unicode()'), findings: [], without: ['table-rewrite'] },
  { title: 'makes a varchar longer', up: typed('String(50)', 'String(80)'), findings: [], without: ['table-rewrite'] },
  { title: 'makes a varchar a text', up: typed('VARCHAR(length=50)', 'Text()'), findings: [], without: ['table-rewrite'] },
  { title: 'makes a varchar shorter', up: typed('String(80)', 'String(50)'), findings: ['error narrowing-type'] },
  { title: 'makes a text an integer', up: typed('Text()', 'Integer()'), findings: ['error narrowing-type'] },
];

/** What an added column brings with it. */
const ADDED: readonly UnreplayedCase[] = [
  {
    title: 'adds a column with a CHECK',
    up: 'op.add_column("users", sa.Column("kind", sa.Text(), sa.CheckConstraint("kind <> \'\'", name="ck_users_kind")))',
    findings: ['error check-not-valid'],
  },
];

/** Loops over what the file has: its statements are few. */
const LISTED: readonly UnreplayedCase[] = [
  {
    title: 'inserts each entry of a dictionary of dictionaries',
    head: 'OLD = {"a": {"id": 1}}\nNEW = {**OLD, "b": {"id": 2}}\n',
    up: 'for name, one in NEW.items():\n    op.get_bind().execute(sa.text("INSERT INTO users (id, email) VALUES (:id, :name)"), {"id": one["id"], "name": name})',
    findings: [],
    without: ['unbatched-loop'],
  },
  {
    title: 'inserts what each of the listed groups lists',
    head: 'GROUPS = [{"ids": [1, 2]}, {"ids": [3]}]\n',
    up: 'for place, group in enumerate(GROUPS):\n    for one in group["ids"]:\n        op.get_bind().execute(sa.text("INSERT INTO users (id) VALUES (:id)"), {"id": one})',
    findings: [],
    without: ['unbatched-loop'],
  },
  {
    title: 'updates the rows of a dictionary that it has filled',
    up: 'found = {}\nfor one in op.get_bind().execute(sa.text("SELECT id FROM users")):\n    found[one.id] = 1\nfor one in found:\n    op.get_bind().execute(sa.text("UPDATE users SET name = \'x\' WHERE id = :id"), {"id": one})',
    findings: ['error clear-column', 'warning unbatched-loop'],
  },
];

/** What a block builds and executes. */
const BUILT: readonly UnreplayedCase[] = [
  [
    'format, for each of an array',
    "FOREACH t IN ARRAY ARRAY['users', 'orders'] LOOP EXECUTE format('ALTER TABLE %I ALTER COLUMN name SET NOT NULL', t); END LOOP;",
    2,
  ],
  ['||, from a variable', "t := 'users'; EXECUTE 'ALTER TABLE ' || quote_ident(t) || ' ALTER COLUMN email SET NOT NULL';", 1],
  [
    '||, for each table of the catalog',
    "FOR t IN SELECT tablename FROM pg_tables LOOP EXECUTE 'ALTER TABLE ' || t || ' ALTER COLUMN email SET NOT NULL'; END LOOP;",
    1,
  ],
].map(([title, body, count]) => ({
  title: `runs in a block what it puts together by ${title}`,
  up: `op.execute("""DO $$ DECLARE t text; BEGIN ${body} END $$""")`,
  findings: Array.from({ length: Number(count) }, () => 'error set-not-null-scan'),
}));

const DEFAULTS: readonly UnreplayedCase[] = [
  {
    title: 'drops the default of a column',
    up: 'op.alter_column("users", "active", server_default=None)',
    findings: ['warning required-column'],
  },
  {
    title: 'replaces the default of a column',
    up: 'op.alter_column("users", "active", server_default=None)\nop.alter_column("users", "active", server_default="false")',
    findings: [],
    without: ['required-column'],
  },
];

const COPIED: readonly UnreplayedCase[] = [
  ['CREATE TABLE AS', 'CREATE TABLE old_users AS SELECT * FROM users'],
  ['SELECT INTO', 'SELECT * INTO old_users FROM users'],
].map(([how, sql]) => ({ title: `copies a table by ${how}`, up: `op.execute("${sql}")`, findings: ['warning copies-table'] }));

const OUTSIDE: readonly UnreplayedCase[] = [
  ['reads a file beside it', 'with pathlib.Path(__file__).with_name("x.csv").open() as file:\n    print(file)', 'reads-outside'],
  ['reads the text of a file', 'sql = pathlib.Path("x.sql").read_text()\nprint(sql)', 'reads-outside'],
  ['runs Alembic', 'command.stamp(config.Config("alembic.ini"), "head")', 'other-connection'],
].map(([title, up, rule]) => ({
  title: title ?? '',
  head: 'import pathlib\nfrom alembic import command, config\n',
  up: up ?? '',
  findings: [`warning ${rule}`],
}));

/** Enums that are replaced by others. */
const ENUMS: readonly UnreplayedCase[] = [
  {
    title: 'takes a label from an enum',
    up: swap("'ok'"),
    down: swap("'ok', 'bad'"),
    findings: ['error table-rewrite', 'warning narrowing-type'],
  },
  {
    title: 'takes a label from an enum after it has given the rows another',
    up: `op.execute("UPDATE users SET name = 'ok' WHERE name = 'bad'")\n${swap("'ok'")}`,
    down: swap("'ok', 'bad'"),
    findings: ['error clear-column', 'error table-rewrite'],
  },
  { title: 'gives an enum another label', up: swap("'ok', 'bad'"), down: swap("'ok'"), findings: ['error table-rewrite'] },
  {
    title: 'takes a label from an enum, by a type that gets its name in the end',
    head: 'def swap(labels):\n    op.execute(f"CREATE TYPE mood_new AS ENUM ({labels})")\n    op.execute("ALTER TABLE users ALTER name TYPE mood_new USING name::text::mood_new")\n    op.execute("DROP TYPE mood")\n    op.execute("ALTER TYPE mood_new RENAME TO mood")\n',
    up: 'swap("\'ok\'")',
    down: "swap(\"'ok', 'bad'\")",
    findings: ['error table-rewrite', 'warning narrowing-type'],
  },
];

const TRY = 'op.execute("ALTER TABLE users ADD CONSTRAINT ck CHECK (id > 0) NOT VALID")';
const FAILED = 'except sa.exc.DBAPIError:\n    ';
const CLEAN = 'op.execute("DELETE FROM users WHERE name IS NULL")';

/** A statement that fails aborts the transaction, unless it is in a savepoint. */
const HANDLED: readonly UnreplayedCase[] = [
  {
    title: 'deletes after a statement has failed',
    up: `try:\n    ${TRY}\n${FAILED}${CLEAN}\n    op.drop_column("users", "email")`,
    findings: ['warning delete-by-query', 'warning drop-column'],
    says: ['DELETE of some rows of users runs only after a statement has failed, in an aborted transaction'],
  },
  {
    title: 'deletes if a statement has failed',
    up: `done = True\ntry:\n    ${TRY}\n${FAILED}done = False\nif not done:\n    ${CLEAN}`,
    findings: ['warning delete-by-query'],
  },
  {
    title: 'deletes unless a statement has failed',
    up: `done = True\ntry:\n    ${TRY}\n${FAILED}done = False\nif done:\n    ${CLEAN}`,
    findings: ['error delete-by-query'],
  },
  {
    title: 'deletes after a statement has failed in a savepoint',
    up: `try:\n    with op.get_bind().begin_nested():\n        ${TRY}\n${FAILED}${CLEAN}`,
    findings: ['error delete-by-query'],
  },
  {
    title: 'deletes after a file was missing',
    up: `try:\n    open("names.txt")\nexcept OSError:\n    ${CLEAN}`,
    findings: ['error delete-by-query'],
  },
];

const JOINED = '"SELECT u.id, u.name, o.note FROM users u JOIN orders AS o ON o.user_id = u.id"';
const INSERT = 'op.execute(sa.text("INSERT INTO orders (note) VALUES (:note)").bindparams(note=row.name))';

/** Python reads rows and writes them elsewhere. */
const READ: readonly UnreplayedCase[] = [
  {
    title: 'drops columns that Python has read from joined tables',
    up: `for row in op.get_bind().execute(sa.text(${JOINED})):\n    ${INSERT}\nop.drop_column("users", "name")\nop.drop_column("users", "email")`,
    findings: ['error drop-column', 'warning drop-column'],
    says: ['users.name is dropped after Python has read its values', 'users.email is dropped: its values are lost'],
  },
  {
    title: 'drops a column that Python has read from some of the rows of joined tables',
    up: `for row in op.get_bind().execute(sa.text(${JOINED.slice(0, -1)} WHERE u.active")):\n    ${INSERT}\nop.drop_column("users", "name")`,
    findings: ['error drop-column'],
  },
  {
    title: 'drops a column after Python has written its values elsewhere, row by row of a whole table',
    up: `users = sa.table("users", sa.column("id"), sa.Column("name", sa.Text), sa.Column("email", sa.Text))
for own, name, _ in op.get_bind().execute(sa.select(users)):
    op.get_bind().execute(users.update().where(users.c.id == own).values(email=name.encode()))
op.drop_column("users", "name")`,
    findings: ['warning drop-column'],
    says: ['users.name is dropped after Python has read its values'],
  },
  {
    title: 'drops a column of a table with a quoted name after Python has written its values elsewhere',
    given:
      'op.create_table("user", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("name", sa.Text()), sa.Column("email", sa.Text()))',
    up: `for own, name in op.get_bind().execute(sa.text('SELECT id, "name" FROM "user"')):
    op.get_bind().execute(sa.text('UPDATE "user" SET email = :email WHERE id = :own'), {"email": name.encode(), "own": own})
op.drop_column("user", "name")`,
    findings: ['warning drop-column'],
    says: ['user.name is dropped after Python has read its values'],
  },
  {
    title: 'deletes all rows after Python has written them to another table',
    up: `for row in op.get_bind().execute(sa.text("SELECT id, name FROM users")):\n    ${INSERT}\nop.execute("DELETE FROM users")`,
    findings: ['warning delete-all'],
    says: ['after Python has read them'],
  },
  {
    title: 'deletes all rows after Python has read them',
    up: 'print(op.get_bind().execute(sa.text("SELECT id, name FROM users")).all())\nop.execute("DELETE FROM users")',
    findings: ['error delete-all'],
  },
];

const TABLE =
  'people = sa.Table("users", sa.MetaData(), sa.Column("id", sa.BigInteger), sa.Column("email", sa.Text), sa.Column("name", sa.Text))\n';

/** Indexes as objects of SQLAlchemy. */
const OBJECTS: readonly UnreplayedCase[] = [
  {
    title: 'creates an index by its object',
    head: `${TABLE}by_email = sa.Index("ix_users_by_email", people.c.email, people.c.name)\n`,
    up: 'by_email.create(op.get_bind())',
    down: 'by_email.drop(bind=op.get_bind())',
    findings: ['error index-not-concurrent'],
  },
  {
    title: 'creates an index by its object, concurrently',
    head: `${TABLE}by_email = sa.Index("ix_users_by_email", people.c.email, postgresql_concurrently=True)\n`,
    up: 'with op.get_context().autocommit_block():\n    by_email.create(op.get_bind())',
    down: 'with op.get_context().autocommit_block():\n    by_email.drop(op.get_bind())',
    findings: [],
    without: ['index-not-concurrent'],
  },
];

const DEFAULT = 'op.alter_column("users", "active", server_default=sa.false())\n';

/** Rows that the revision names are few. */
const NAMED: readonly UnreplayedCase[] = [
  {
    title: 'updates rows that an array names, while it holds a lock',
    up: `${DEFAULT}op.execute("UPDATE users SET active = false WHERE name = ANY(ARRAY['a', 'b'])")`,
    findings: [],
    without: ['work-under-lock'],
  },
  {
    title: 'updates rows by a list of values, while it holds a lock',
    up: `${DEFAULT}op.execute("UPDATE users u SET email = v.email FROM (VALUES ('a', 'a@b'), ('c', 'c@d')) AS v (name, email) WHERE u.name = v.name")`,
    findings: [],
    without: ['work-under-lock'],
  },
  {
    title: 'updates rows that an array of a query names, while it holds a lock',
    up: `${DEFAULT}op.execute("UPDATE users SET active = false WHERE name = ANY(ARRAY(SELECT note FROM orders))")`,
    findings: ['error work-under-lock'],
  },
];

const NEW_KEY = 'op.add_column("users", sa.Column("key", sa.Text()))\n';
const KEY_DEFAULT = 'op.alter_column("users", "key", server_default="")';

/** A new column becomes NOT NULL. */
const REQUIRED: readonly UnreplayedCase[] = [
  {
    title: 'makes a new column NOT NULL that nothing has filled',
    up: `${NEW_KEY}op.create_index("ix", "orders", ["note"])\nop.alter_column("users", "key", nullable=False)`,
    findings: ['error index-not-concurrent', 'error not-null-without-default'],
    says: ['users.key is new, and nothing has filled it: SET NOT NULL fails if users has a row'],
  },
  {
    title: 'makes a new column NOT NULL after it was filled',
    up: `${NEW_KEY}op.execute("UPDATE users SET key = name WHERE key IS NULL")\nop.alter_column("users", "key", nullable=False)\n${KEY_DEFAULT}`,
    findings: ['error set-not-null-scan', 'error update-all'],
    without: ['not-null-without-default'],
  },
  {
    title: 'makes a new column NOT NULL after Python may have filled it',
    up: `${NEW_KEY}for row in op.get_bind().execute(sa.text("SELECT id FROM users")).all():\n    fill(row)\nop.alter_column("users", "key", nullable=False)\n${KEY_DEFAULT}`,
    findings: ['error set-not-null-scan'],
    without: ['not-null-without-default'],
  },
];

export const UNREPLAYED: readonly UnreplayedCase[] = [
  ...HANDLED,
  ...READ,
  ...NAMED,
  ...OBJECTS,
  ...REQUIRED,
  ...MAY_BE_KEPT,
  ...ROWS,
  ...READS,
  ...EARLIER,
  ...NOTHING,
  ...PUT_TOGETHER,
  TUPLE,
  ...SERVICES,
  ...EACH,
  ...CONVERTED,
  ...LOCKED,
  ...IMPLIED,
  ...OF_PACKAGES,
  ADDED_LABELS,
  ...TRANSACTIONS,
  ...CONDITIONAL,
  ...TYPES,
  ...OTHERS,
  ...MEANT,
  ...KNOWN,
  ...ENUMS,
  ...BUILT,
  ...DEFAULTS,
  ...COPIED,
  ...OUTSIDE,
  ...RETYPED,
  ...LISTED,
  ...ADDED,
];
