import type { ResTarget, UpdateStmt } from 'libpg-query';
import type { TableFacts } from '../../contract/facts';
import type { Written } from '../sql/action';
import { keyOf } from './backfill';
import { BATCH, columnsNamedIn, PAUSE } from './batches';
import { literal, sqlLiteral } from './python';
import { quoted, quotedTable, SqlText } from './sql';

/** The place of the next batch's condition. */
const AFTER_LAST_BATCH = '/* after the last batch */';

/**
 * An UPDATE in batches that go through the table in the order of its key, so that they end whatever its values are. After an
 * interruption they begin again: a value that is computed from itself would be computed twice.
 *
 * @param facts the table before the revision
 */
export function updateByKey(
  table: string,
  written: Written<UpdateStmt> | undefined,
  facts: TableFacts | undefined,
): string | { readonly reason: string } {
  const key = facts ? keyOf(facts) : [];
  if (!key.length) return { reason: `${table} has no primary key by which batches could go through it` };
  if (!written || /\$\d/.test(written.sql)) return { reason: 'its values are parameters: write them into the statement' };
  const { relation, withClause } = written.node;
  const self = relation?.alias?.aliasname ?? relation?.relname ?? '';
  const targets = (written.node.targetList ?? []).flatMap((target) => ('ResTarget' in target ? [target.ResTarget] : []));
  if (key.some((column) => targets.some(({ name }) => name === column.name))) {
    return { reason: 'it changes the key by which batches would go through the table' };
  }
  if (dependsOnItself(targets, self)) {
    return { reason: 'a batch that runs again would change a value again: compute it from columns that stay the same' };
  }
  const text = new SqlText(written.sql);
  const [update, set, where] = [text.find(['UPDATE']), text.find(['SET']), text.find(['WHERE'])];
  if (!update || !set || withClause?.recursive || text.find(['RETURNING'])) {
    return { reason: 'an UPDATE with RETURNING or WITH RECURSIVE is not split into batches' };
  }
  const end = text.find([';'])?.start;
  const condition = where ? `(${text.slice(where.end, end)}) AND ` : '';
  const [own, names] = [quoted(self), key.map(({ name }) => quoted(name))];
  const row = (parts: readonly string[]) => (parts.length > 1 ? `(${parts.join(', ')})` : parts.join());
  const rows = `FROM ${quotedTable(table)} ${AFTER_LAST_BATCH} ORDER BY ${names.join(', ')} LIMIT`;
  const batch = `${row(names.map((name) => `${own}.${name}`))} IN (SELECT ${names.join(', ')} ${rows} ${BATCH})`;
  const others = withClause ? `${text.slice(text.find(['WITH'])?.end ?? 0, update.start)}, ` : '';
  const changed = `${text.slice(update.start, where?.start ?? end)} WHERE ${condition}${batch}`;
  const last = names.map((name, at) => `CAST(${name} AS text) AS key_${at + 1}`).join(', ');
  const after = `WHERE ${row(names)} > ${row(key.map(({ type }, at) => `CAST(:key_${at + 1} AS ${type})`))}`;
  return [
    '# in the order of the key; each batch returns its last row, unless none follow',
    `update = ${sqlLiteral(`WITH ${others}changed AS (${changed}) SELECT ${last} ${rows} 1 OFFSET ${BATCH - 1}`)}`,
    `after, last = ${literal(after)}, {}`,
    'with op.get_context().autocommit_block():',
    '    while last is not None:',
    `        text = sa.text(update.replace(${literal(AFTER_LAST_BATCH)}, after if last else ""))`,
    '        batch = op.get_bind().execute(text, last).mappings().first()',
    '        last = dict(batch) if batch else None',
    '        if last:',
    `            ${PAUSE}`,
  ].join('\n');
}

function dependsOnItself(targets: readonly ResTarget[], self: string): boolean {
  const set = new Set(targets.map(({ name }) => name));
  return targets
    .flatMap(({ val }) => columnsNamedIn(val))
    .some((fields) => set.has(fields.at(-1)) && (fields.length === 1 || fields.at(-2) === self));
}
