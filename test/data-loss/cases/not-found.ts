import { type Case, keeps, keepsSql } from './case';

/** Losses that are not found: see "Missed" in docs/guard.md. */
// biome-ignore format: one case on a line
export const NOT_FOUND: readonly Case[] = [
  keeps('DELETE in batches by number', 'for start in range(0, 100000, 1000):\n    op.execute(f"DELETE FROM orders WHERE id BETWEEN {start} AND {start + 999}")'),
  keepsSql("CREATE RULE r AS ON INSERT TO a DO ALSO DELETE FROM users; INSERT INTO a VALUES (1)"),
  keepsSql("UPDATE users SET email = NULL FROM teams WHERE teams.id = users.team_id"),
  keepsSql("UPDATE orders SET cents = cents / 100, number = first || last"),
  keepsSql("INSERT INTO roles (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name"),
];
