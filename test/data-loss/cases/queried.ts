import { type Case, destroys, USERS } from './case';

const queried = (title: string, up: string): Case => destroys(title, 'delete-by-query', up);
const sql = (text: string): Case => queried(text, `op.execute("""${text}""")`);

/** Rows that a query or their age finds. */
// biome-ignore format: one case on a line
export const QUERIED: readonly Case[] = [
  queried('DELETE of duplicates', 'op.execute("DELETE FROM users a USING users b WHERE a.id < b.id AND a.email = b.email")'),
  queried('DELETE of rows that another query finds', 'op.execute("DELETE FROM orders WHERE user_id NOT IN (SELECT id FROM users)")'),
  sql("DELETE FROM sessions WHERE created_at < now() - interval '90 days'"),
  sql("DELETE FROM users WHERE id NOT IN (SELECT min(id) FROM users GROUP BY email)"),
  sql("DELETE FROM users WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY email ORDER BY id) AS n FROM users) x WHERE n > 1)"),
  sql("DELETE FROM users a USING users b WHERE a.ctid < b.ctid AND a.email = b.email"),
  sql("WITH old AS (SELECT id FROM users WHERE active IS FALSE) DELETE FROM users WHERE id IN (SELECT id FROM old)"),
  sql("DELETE FROM sessions WHERE expires_at < now()"),
  sql("DELETE FROM a USING b WHERE a.id = b.id"),
  sql("DELETE FROM users WHERE id = ANY(SELECT user_id FROM banned)"),
  queried('temporary', 'bind = op.get_bind()\nbind.execute(sa.text("CREATE TEMP TABLE keep AS SELECT DISTINCT ON (email) id FROM users"))\nbind.execute(sa.text("DELETE FROM users WHERE id NOT IN (SELECT id FROM keep)"))\nbind.execute(sa.text("DROP TABLE keep"))'),
  queried('orphans', 'op.execute("DELETE FROM items WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = items.order_id)")'),
  queried('orphans by LEFT JOIN', 'op.execute("DELETE FROM items USING items i LEFT JOIN orders o ON o.id = i.order_id WHERE items.id = i.id AND o.id IS NULL")'),
  queried('op.execute("DELETE FROM x WHERE id IN (SELECT id FROM x GROUP BY id HA', 'op.execute("DELETE FROM x WHERE id IN (SELECT id FROM x GROUP BY id HAVING count(*) > 1)")'),
  queried('op.execute("DELETE FROM x a WHERE EXISTS (SELECT 1 FROM x b WHERE b.em', 'op.execute("DELETE FROM x a WHERE EXISTS (SELECT 1 FROM x b WHERE b.email = a.email AND b.id < a.id)")'),
  queried('sa.delete by a subquery', `${USERS}op.execute(sa.delete(users).where(~sa.exists().where(users.c.id == 3)))`),
  queried('sa.delete where nothing refers to it', `${USERS}op.execute(users.delete().where(users.c.active, ~sa.exists().where(sa.column("user_id") == users.c.id)))`),
];
