import { type Case, destroys, follows, keeps, keepsSql, type Rules } from './case';

const loses = (sql: string, rule: Rules[number]): Case => destroys(sql, rule, `op.execute("""${sql}""")`);

const PERSONS = 'op.create_table("persons", sa.Column("id", sa.Integer()), sa.Column("name", sa.Text()))';
const PEOPLE = 'op.create_table("people", sa.Column("id", sa.Integer()), sa.Column("name", sa.Text()))\n';
const MODELS = `from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()

class Person(Base):
    __tablename__ = "persons"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.Text)

class Name(Base):
    __tablename__ = "names"
    person_id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.Text)`;
const CHECKED = 'connection = op.get_bind()\n';

/** What stands elsewhere before it is dropped, and what a revision has checked to hold nothing. */
// biome-ignore format: one case on a line
export const MOVED: readonly Case[] = [
  keepsSql("UPDATE alembic_version SET version_num = 'a0'"),
  keepsSql("CREATE TABLE old_users (LIKE users); INSERT INTO old_users SELECT u.* FROM users u JOIN teams t ON t.id = u.team_id WHERE t.closed; DELETE FROM users WHERE id IN (SELECT u.id FROM users u JOIN teams t ON t.id = u.team_id WHERE t.closed)"),
  keepsSql("CREATE TABLE old_users (LIKE users); INSERT INTO old_users SELECT u.* FROM users u JOIN teams t ON t.id = u.team_id WHERE t.closed; DELETE FROM users u USING teams t WHERE t.closed AND t.id = u.team_id"),
  keepsSql("CREATE TABLE old_users (LIKE users); INSERT INTO old_users SELECT u.* FROM users u JOIN teams t ON t.id = u.team_id WHERE t.closed; DELETE FROM users WHERE id IN (SELECT id FROM old_users)"),
  keeps('DELETE of rows whose columns are all copied', 'op.execute("CREATE TABLE old_users (id int, name text)")\nop.execute("INSERT INTO old_users (id, name) SELECT id, name FROM users WHERE name LIKE \'x%\'")\nop.execute("DELETE FROM users WHERE name LIKE \'x%\'")', follows('op.execute("CREATE TABLE users (id int, name text)")')),
  keepsSql("ALTER TABLE users ADD disabled boolean; UPDATE users SET disabled = NOT active; ALTER TABLE users DROP COLUMN active"),
  keepsSql("ALTER TABLE posts ADD tags text[]; UPDATE posts SET tags = ARRAY[tag, topic]; ALTER TABLE posts DROP COLUMN tag, DROP COLUMN topic"),
  keepsSql("ALTER TABLE posts ADD labels text[]; UPDATE posts SET labels = string_to_array(tags, ','); ALTER TABLE posts DROP COLUMN tags"),
  keepsSql("ALTER TABLE orders ADD cents bigint; UPDATE orders SET cents = (total * 100)::bigint; ALTER TABLE orders DROP COLUMN total"),
  keepsSql("ALTER TABLE events ADD at timestamptz; UPDATE events SET at = (starts AT TIME ZONE 'UTC') + interval '1 day'; ALTER TABLE events DROP COLUMN starts"),
  keepsSql("ALTER TABLE users ADD bio text; UPDATE users SET bio = COALESCE(about, ''); ALTER TABLE users DROP COLUMN about"),
  keepsSql("ALTER TABLE users ADD mobile text; UPDATE users SET mobile = '+' || phone; ALTER TABLE users DROP COLUMN phone"),
  keepsSql("ALTER TABLE places ADD spot geometry; UPDATE places SET spot = ST_SetSRID(ST_MakePoint(lng, lat), 4326); ALTER TABLE places DROP COLUMN lng, DROP COLUMN lat"),
  keepsSql("CREATE TABLE names (user_id int, name text); INSERT INTO names (user_id, name) SELECT id, name FROM users; ALTER TABLE users DROP COLUMN name"),
  keepsSql("CREATE TABLE names AS SELECT u.id AS user_id, u.name FROM users u; ALTER TABLE users DROP COLUMN name"),
  keepsSql("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, name FROM users WHERE name IS NOT NULL; ALTER TABLE users DROP COLUMN name"),
  keepsSql("INSERT INTO people SELECT * FROM persons; DROP TABLE persons"),
  keepsSql("ALTER TABLE users ADD full_name text; UPDATE users SET full_name = s.name FROM (SELECT * FROM users) s WHERE s.id = users.id; ALTER TABLE users DROP COLUMN name"),
  keepsSql("ALTER TABLE users ADD full_name text; UPDATE users u SET full_name = s.name FROM (SELECT id, name FROM users) AS s WHERE s.id = u.id; ALTER TABLE users DROP COLUMN name"),
  keepsSql("CREATE TABLE details (user_id int, name text); INSERT INTO details SELECT s.id, s.name FROM (SELECT * FROM users) s; ALTER TABLE users DROP COLUMN name"),
  keepsSql("ALTER TABLE users ALTER note TYPE jsonb USING json_build_object('name', name, 'note', note); ALTER TABLE users DROP COLUMN name"),
  keepsSql("CREATE TABLE people AS SELECT * FROM persons UNION ALL SELECT * FROM humans; DROP TABLE persons; DROP TABLE humans; ALTER TABLE people ADD note text; UPDATE people SET note = '-'; ALTER TABLE people DROP COLUMN note"),
  keepsSql("CREATE TABLE users_new (LIKE users); INSERT INTO users_new SELECT * FROM users; ALTER TABLE users RENAME TO users_old; ALTER TABLE users_new RENAME TO users; DROP TABLE users_old"),
  keepsSql("CREATE TABLE notes AS SELECT o.id, o.note, u.name FROM orders o LEFT JOIN users u ON u.id = o.user_id; ALTER TABLE orders DROP COLUMN note"),
  keepsSql("CREATE TABLE genres (id serial, name text); INSERT INTO genres (name) SELECT DISTINCT genre FROM films WHERE genre IS NOT NULL; ALTER TABLE films ADD genre_id int; UPDATE films f SET genre_id = g.id FROM genres g WHERE g.name = f.genre; ALTER TABLE films DROP COLUMN genre"),
  keepsSql("CREATE TABLE genres (id serial, name text UNIQUE); INSERT INTO genres (name) SELECT genre FROM films ON CONFLICT DO NOTHING; ALTER TABLE films ADD genre_id int; UPDATE films SET genre_id = (SELECT id FROM genres g WHERE g.name = films.genre); ALTER TABLE films DROP COLUMN genre"),
  keepsSql("ALTER TABLE films ADD genre_id int; UPDATE films SET genre_id = g.id FROM genres g WHERE g.name = films.genre; ALTER TABLE films ALTER genre_id SET NOT NULL, DROP COLUMN genre"),
  keepsSql("ALTER TABLE films ADD genre_id int; UPDATE films SET genre_id = (SELECT id FROM genres WHERE genres.name = films.genre); ALTER TABLE films ALTER genre_id SET NOT NULL; ALTER TABLE films DROP COLUMN genre"),
  keepsSql("CREATE TABLE steps (recipe_id int, position int, body text); INSERT INTO steps SELECT r.id, s.position, s.body FROM recipes r CROSS JOIN unnest(r.steps) WITH ORDINALITY AS s (body, position); ALTER TABLE recipes DROP COLUMN steps"),
  keepsSql("CREATE TABLE bodies AS SELECT id AS file_id FROM files; ALTER TABLE bodies ADD body bytea; UPDATE bodies SET body = f.body FROM files f WHERE f.id = bodies.file_id; ALTER TABLE files DROP COLUMN body"),
  keepsSql("ALTER TABLE files ADD body bytea; UPDATE files f SET body = old.content FROM files old WHERE old.id = f.id; ALTER TABLE files DROP COLUMN content"),
  keepsSql("ALTER TABLE users ADD full_name text; UPDATE users SET full_name = name WHERE name IS NOT NULL; ALTER TABLE users DROP COLUMN name; ALTER TABLE users RENAME full_name TO name"),
  keepsSql("ALTER TABLE users ADD full_name text; UPDATE users u SET full_name = u.name::text WHERE u.full_name IS NULL AND u.name IS NOT NULL; ALTER TABLE users DROP COLUMN name"),
  keepsSql("ALTER TABLE orders ADD new_id bigint; UPDATE orders SET new_id = user_id::bigint WHERE user_id IS NOT NULL; ALTER TABLE orders DROP COLUMN user_id; ALTER TABLE orders RENAME new_id TO user_id"),
  keepsSql("DROP TABLE IF EXISTS _alembic_tmp_users"),
  keepsSql("ALTER TABLE users ADD state text; UPDATE users SET state = CASE WHEN active THEN 'on' WHEN NOT active THEN 'off' ELSE 'new' END; ALTER TABLE users DROP COLUMN active"),
  keepsSql("ALTER TABLE users ADD state text; UPDATE users SET state = CASE active WHEN true THEN 'on' WHEN false THEN 'off' END; ALTER TABLE users DROP COLUMN active"),
  keepsSql("CREATE TABLE old_mails (LIKE mails); WITH moved AS (DELETE FROM mails WHERE at < now() - interval '1 year' RETURNING *) INSERT INTO old_mails SELECT * FROM moved"),
  keepsSql("CREATE TABLE archive AS SELECT * FROM sessions; TRUNCATE sessions"),
  keepsSql("DROP VIEW a CASCADE; CREATE VIEW a AS SELECT 1 AS x"),
  keepsSql("DROP MATERIALIZED VIEW a CASCADE; CREATE MATERIALIZED VIEW a AS SELECT 1 AS x"),
  keepsSql("ALTER TABLE m DETACH PARTITION m_1; ALTER TABLE m ATTACH PARTITION m_1 FOR VALUES IN (1)"),
  keepsSql("CREATE SCHEMA archive; ALTER TABLE m DETACH PARTITION m_1; ALTER TABLE m_1 SET SCHEMA archive"),
  keepsSql("DO $$ BEGIN IF EXISTS (SELECT 1 FROM users) THEN RAISE EXCEPTION 'rows'; END IF; END $$; DROP TABLE users"),
  keepsSql("DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM users WHERE pager IS NOT NULL; IF n > 0 THEN RAISE EXCEPTION 'pagers'; END IF; END $$; ALTER TABLE users DROP COLUMN pager"),
  keeps('columns that the revision before has created', `${PEOPLE}op.execute("INSERT INTO people (id, name) SELECT id, name FROM persons")\nop.drop_table("persons")`, follows(PERSONS)),
  keeps('columns that the downgrade creates', `op.execute("INSERT INTO people SELECT p.id, p.name FROM persons p")\nop.drop_table("persons")`, { down: PERSONS }),
  keeps('from_select', `names = sa.table("names", sa.column("user_id"), sa.column("name"))\nusers = sa.table("users", sa.column("id"), sa.column("name"))\nop.create_table("names", sa.Column("user_id", sa.Integer()), sa.Column("name", sa.Text()))\nop.execute(names.insert().from_select(["user_id", "name"], sa.select(users.c.id, users.c.name)))\nop.drop_column("users", "name")`),
  keeps('rows of a loop in a session', `session = Session(bind=op.get_bind())\nfor person in session.query(Person):\n    session.add(Name(person_id=person.id, name=person.name))\nsession.flush()\nop.drop_column("persons", "name")`, { head: MODELS }),
  keeps('rows of a list', `${CHECKED}users = connection.execute(sa.text("SELECT id, name FROM users")).fetchall()\nop.bulk_insert(sa.table("names"), [{"user_id": user.id, "name": user.name} for user in users])\nop.drop_column("users", "name")`),
  keeps('a count', `${CHECKED}count = connection.execute(sa.text("SELECT count(*) FROM users")).scalar()\nif count:\n    raise RuntimeError(f"{count} users")\nop.drop_table("users")`),
  keeps('a count of a query', `session = Session(bind=op.get_bind())\nif session.query(Person).filter(Person.name.isnot(None)).count() > 0:\n    raise RuntimeError\nop.drop_column("persons", "name")`, { head: MODELS }),
  keeps('a first row', `${CHECKED}if connection.execute(sa.text("SELECT 1 FROM users LIMIT 1")).first() is not None:\n    raise RuntimeError\nop.drop_table("users")`),
  keeps('a table that is dropped only if it is empty', `${CHECKED}if not connection.scalar(sa.text("SELECT EXISTS (SELECT 1 FROM users)")):\n    op.drop_table("users")`),
  keeps('a check in a helper', 'check("users", "pager")\nop.drop_column("users", "pager")', { head: 'def check(table, column):\n    left = op.get_bind().execute(sa.text(f"SELECT count({column}) FROM {table}")).scalar_one()\n    if left != 0:\n        raise RuntimeError(left)' }),
  keeps('a check that all was copied', `op.add_column("users", sa.Column("title", sa.Text()))\nop.execute("UPDATE users SET title = name WHERE id < 1000")\nif op.get_bind().scalar(sa.text("SELECT count(*) FROM users WHERE title IS DISTINCT FROM name")):\n    raise RuntimeError\nop.drop_column("users", "name")`),
];

/** What looks as if it were moved. */
// biome-ignore format: one case on a line
export const NOT_MOVED: readonly Case[] = [
  loses("ALTER TABLE films ADD genre_id int; UPDATE films SET genre_id = g.id FROM genres g WHERE g.name = films.genre; ALTER TABLE films DROP COLUMN genre", 'drop-column'),
  loses("ALTER TABLE orders ADD cents int; UPDATE orders SET cents = total * 0; ALTER TABLE orders DROP COLUMN total", 'drop-column'),
  loses("ALTER TABLE orders ADD net int; UPDATE orders SET net = total - tax; ALTER TABLE orders DROP COLUMN total", 'drop-column'),
  loses("ALTER TABLE posts ADD tags text[]; UPDATE posts SET tags = ARRAY[left(tag, 3)]; ALTER TABLE posts DROP COLUMN tag", 'drop-column'),
  loses("ALTER TABLE users ADD closed boolean; UPDATE users SET closed = NOT (active OR paid); ALTER TABLE users DROP COLUMN active", 'drop-column'),
  loses("ALTER TABLE users ADD data jsonb; UPDATE users SET data = settings || '{\\\"theme\\\": null}'; ALTER TABLE users DROP COLUMN settings", 'drop-column'),
  loses("ALTER TABLE events ADD at timestamptz; UPDATE events SET at = starts AT TIME ZONE zone; ALTER TABLE events DROP COLUMN starts", 'drop-column'),
  loses("ALTER TABLE users ADD data jsonb; UPDATE users SET data = settings - 'theme'; ALTER TABLE users DROP COLUMN settings", 'drop-column'),
  loses("ALTER TABLE users ADD data jsonb; UPDATE users SET data = settings - 'theme'::text; ALTER TABLE users DROP COLUMN settings", 'drop-column'),
  loses("ALTER TABLE users ADD data jsonb; UPDATE users SET data = steps - 1; ALTER TABLE users DROP COLUMN steps", 'drop-column'),
  loses("ALTER TABLE users ADD data hstore; UPDATE users SET data = attrs || 'theme=>dark'; ALTER TABLE users DROP COLUMN attrs", 'drop-column'),
  loses("ALTER TABLE films ADD first int; UPDATE films SET first = (SELECT min(id) FROM genres WHERE genres.name = films.genre); ALTER TABLE films ALTER first SET NOT NULL; ALTER TABLE films DROP COLUMN genre", 'drop-column'),
  loses("ALTER TABLE orders ADD note text; UPDATE orders SET note = left(status, 1), status = 'closed'", 'clear-column'),
  loses("UPDATE orders SET note = note || status, status = 'closed'", 'clear-column'),
  loses("UPDATE users SET email = NULL WHERE id = (SELECT s.user_id FROM spam s WHERE s.user_id = users.id AND s.kind = 'bot')", 'clear-column'),
  loses("UPDATE users SET name = s.name FROM (SELECT team_id, name, count(*) AS n FROM teams GROUP BY team_id, name) s WHERE s.team_id = users.team_id", 'clear-column'),
  loses("UPDATE orders SET note = 'late', status = 'closed' WHERE status IN ('lost', 'late')", 'clear-column'),
  loses("ALTER TABLE users ADD full_name text; UPDATE users SET full_name = s.name FROM (SELECT * FROM users WHERE active) s WHERE s.id = users.id; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("ALTER TABLE users ADD full_name text; UPDATE users SET full_name = s.name FROM (SELECT id, left(name, 3) AS name FROM users) s WHERE s.id = users.id; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("ALTER TABLE users ADD full_name text; UPDATE users SET full_name = s.name FROM (SELECT DISTINCT name FROM users) s WHERE s.name = users.nick; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE details (user_id int, name text); INSERT INTO details SELECT s.id, s.name FROM (SELECT * FROM users LIMIT 9) s; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("ALTER TABLE users ALTER note TYPE jsonb USING jsonb_build_object('note', note); ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE old_users (LIKE users); INSERT INTO old_users SELECT u.* FROM users u JOIN teams t ON t.id = u.team_id WHERE t.closed; DELETE FROM users WHERE id IN (SELECT u.id FROM users u JOIN teams t ON t.id = u.team_id)", 'delete-by-query'),
  loses("CREATE TABLE old_users (LIKE users); INSERT INTO old_users SELECT u.* FROM users u JOIN teams t ON t.id = u.team_id; DELETE FROM users", 'delete-all'),
  loses("CREATE TABLE old_users (LIKE users); INSERT INTO old_users SELECT u.* FROM users u JOIN teams t ON t.id = u.team_id; DELETE FROM users WHERE id IN (SELECT t.id FROM users u JOIN teams t ON t.id = u.team_id)", 'delete-by-query'),
  destroys('DELETE of rows of which one column is copied', 'delete-by-query', 'op.execute("CREATE TABLE old_users (id int)")\nop.execute("INSERT INTO old_users (id) SELECT id FROM users WHERE name LIKE \'x%\'")\nop.execute("DELETE FROM users WHERE name LIKE \'x%\'")', follows('op.execute("CREATE TABLE users (id int, name text)")')),
  loses("UPDATE users SET email = NULL; UPDATE users SET email = name WHERE name LIKE 'a%'", 'clear-column'),
  destroys('a column that is emptied, and set again only in some databases', 'clear-column', 'op.execute("UPDATE users SET email = NULL")\nif op.get_bind().scalar(sa.text("SELECT 1 FROM settings")):\n    op.execute("UPDATE users SET email = lower(name || id)")'),
  loses("UPDATE users SET email = NULL; UPDATE users SET email = coalesce(email, name)", 'clear-column'),
  loses("ALTER TABLE users ADD full_name text; UPDATE users SET full_name = coalesce(nick, name); ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("ALTER TABLE users ADD full_name text; UPDATE users SET full_name = name WHERE email IS NOT NULL; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("ALTER TABLE users ADD full_name text DEFAULT '-'; UPDATE users SET full_name = name WHERE full_name IS NULL; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, name FROM users WHERE active; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, trim(name) FROM users; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names (name text); INSERT INTO names SELECT name FROM users; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names AS SELECT id, name FROM users LIMIT 10; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names AS SELECT DISTINCT ON (name) id, name FROM users; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names AS SELECT u.id, u.name FROM users u JOIN teams t ON t.id = u.team_id; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TEMP TABLE names AS SELECT id, name FROM users; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, name FROM users; DELETE FROM names; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, name FROM users; UPDATE names SET name = lower(name); ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, name FROM users ON CONFLICT DO NOTHING; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, name FROM users; ALTER TABLE users DROP COLUMN name; DROP TABLE names", 'drop-table'),
  loses("CREATE TABLE names (user_id int, name text); INSERT INTO names SELECT id, name FROM users; ALTER TABLE users DROP COLUMN name; ALTER TABLE names DROP COLUMN name", 'drop-column'),
  loses("INSERT INTO people (id, name) SELECT id, name FROM persons; DROP TABLE persons", 'drop-table'),
  loses("CREATE TABLE prices (item_id int, price_cents int); INSERT INTO prices SELECT id, price FROM items; ALTER TABLE items DROP COLUMN price", 'drop-column'),
  loses("CREATE TABLE archive AS SELECT * FROM sessions; TRUNCATE sessions CASCADE", 'truncate'),
  loses("ALTER TABLE orders ADD user_name text; UPDATE orders SET user_name = u.name FROM users u WHERE u.id = orders.user_id; ALTER TABLE users DROP COLUMN name", 'drop-column'),
  loses("ALTER TABLE films ADD genre_id int; UPDATE films f SET genre_id = g.id FROM genres g WHERE g.name = f.genre; ALTER TABLE films DROP COLUMN genre", 'drop-column'),
  loses("CREATE TABLE genres (id serial, name text); INSERT INTO genres (name) SELECT DISTINCT genre FROM films; ALTER TABLE films ADD genre_id int; UPDATE films f SET genre_id = g.id FROM genres g WHERE g.name = f.genre AND f.id < 9; ALTER TABLE films DROP COLUMN genre", 'drop-column'),
  loses("CREATE TABLE tags AS SELECT id, unnest(tags) AS tag FROM posts; ALTER TABLE posts DROP COLUMN tags", 'drop-column'),
  loses("ALTER TABLE users ADD state text; UPDATE users SET state = CASE WHEN active THEN 'on' ELSE 'off' END; ALTER TABLE users DROP COLUMN active", 'drop-column'),
  loses("CREATE TABLE old_mails (id int); WITH moved AS (DELETE FROM mails RETURNING *) INSERT INTO old_mails SELECT id FROM moved", 'delete-all'),
  loses("DO $$ BEGIN IF EXISTS (SELECT 1 FROM users) THEN RAISE NOTICE 'rows'; END IF; END $$; DROP TABLE users", 'drop-table'),
  loses("DO $$ BEGIN IF EXISTS (SELECT 1 FROM users) THEN RAISE EXCEPTION 'rows'; END IF; EXCEPTION WHEN OTHERS THEN NULL; END $$; DROP TABLE users", 'drop-table'),
  loses("DO $$ BEGIN IF EXISTS (SELECT 1 FROM users WHERE active) THEN RAISE EXCEPTION 'rows'; END IF; END $$; DROP TABLE users", 'drop-table'),
  loses("DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM users) THEN RAISE EXCEPTION 'no rows'; END IF; END $$; DROP TABLE users", 'drop-table'),
  loses("ALTER TABLE users ADD title text; DO $$ BEGIN IF EXISTS (SELECT 1 FROM users WHERE title IS DISTINCT FROM name) THEN RAISE EXCEPTION 'x'; END IF; END $$; ALTER TABLE users DROP COLUMN name; ALTER TABLE users DROP COLUMN title", 'drop-column'),
  destroys('a column that the copy lacks', 'drop-table', `${PEOPLE}op.execute("INSERT INTO people (id, name) SELECT id, name FROM persons")\nop.drop_table("persons")`, follows(`${PERSONS}\nop.add_column("persons", sa.Column("phone", sa.Text()))`)),
  destroys('a count that is logged', 'drop-table', `${CHECKED}count = connection.execute(sa.text("SELECT count(*) FROM users")).scalar()\nif count:\n    print(count)\nop.drop_table("users")`),
  destroys('a check that may not run', 'drop-table', `${CHECKED}if STRICT:\n    if connection.scalar(sa.text("SELECT count(*) FROM users")):\n        raise RuntimeError\nop.drop_table("users")`, { head: 'import os\nSTRICT = os.environ.get("STRICT")' }),
  destroys('a check whose error is caught', 'drop-table', `${CHECKED}try:\n    if connection.scalar(sa.text("SELECT count(*) FROM users")):\n        raise RuntimeError\nexcept RuntimeError:\n    pass\nop.drop_table("users")`),
  destroys('a check of the first value, which may be NULL', 'drop-table', `${CHECKED}if connection.scalar(sa.text("SELECT name FROM users")):\n    raise RuntimeError\nop.drop_table("users")`),
  destroys('a check of the first value in its row', 'drop-table', `${CHECKED}if connection.execute(sa.text("SELECT name FROM users")).first()[0] is not None:\n    raise RuntimeError\nop.drop_table("users")`),
  keeps('a check of the first key', `${CHECKED}if connection.scalar(sa.text("SELECT id FROM users LIMIT 1")):\n    raise RuntimeError\nop.drop_table("users")`),
  destroys('a check for rows', 'drop-table', `${CHECKED}if not connection.scalar(sa.text("SELECT count(*) FROM users")):\n    raise RuntimeError\nop.drop_table("users")`),
  destroys('some rows of a loop', 'drop-column', `session = Session(bind=op.get_bind())\nfor person in session.query(Person):\n    if person.name:\n        session.add(Name(person_id=person.id, name=person.name))\nop.drop_column("persons", "name")`, { head: MODELS }),
];
