import { type Case, keepsSql } from './case';

/** Losses that are not found: see "Missed" in docs/guard.md. */
// biome-ignore format: one case on a line
export const NOT_FOUND: readonly Case[] = [
  keepsSql("CREATE RULE r AS ON INSERT TO a DO ALSO DELETE FROM users; INSERT INTO a VALUES (1)"),
  keepsSql("UPDATE orders SET cents = cents / 100, number = first || last"),
  keepsSql("INSERT INTO roles (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name"),
];
