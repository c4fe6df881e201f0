import type { ConstraintFacts } from '../../../contract/facts';
import type { RevisionFunction } from '../../revision/analyzed-revision';
import { nameList } from '../name-list';
import type { Rule } from '../rule';

/** https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK: ON UPDATE */
export const referencedKeyUpdated: Rule = {
  id: 'referenced-key-updated',
  group: 'data migrations',
  severity: 'warning',
  title: 'an UPDATE changes a key that rows of other tables refer to',
  *check({ upgrade }) {
    for (const { action, place, holdsRows, index } of upgrade.steps) {
      if (action.does !== 'update' || !holdsRows(action.table)) continue;
      const { table, columns } = action;
      const keys = foreignKeysTo(table, columns, upgrade, index);
      const [first] = keys;
      if (!first) continue;
      const children = nameList(keys.map(({ child }) => child));
      const cascades = keys.find(({ key }) => /\bON UPDATE (?:CASCADE|SET)\b/.test(key.definition));
      const effect = cascades
        ? `PostgreSQL also writes each row of ${cascades.child} that refers to one, and locks it until the revision commits`
        : 'it fails if a row refers to the old value';
      yield {
        ...place,
        message: `UPDATE changes ${table}.${columns.find((column) => first.key.references?.columns.includes(column))}, which ${children} references: ${effect}`,
        instead:
          '# insert rows with the new keys, let the other tables refer to them in batches, and delete the old rows in a later revision',
      };
    }
  },
};

interface ForeignKey {
  readonly child: string;
  readonly key: ConstraintFacts;
}

/** The foreign keys to columns of a table that are there when a step runs. */
function foreignKeysTo(
  table: string,
  columns: readonly string[],
  { tablesBefore, steps }: RevisionFunction,
  before: number,
): readonly ForeignKey[] {
  const isDropped = (child: string, { name }: ConstraintFacts) =>
    steps.some(
      ({ action, index }) =>
        index < before && action.does === 'drop constraint' && action.table === child && action.constraint === name,
    );
  return Object.entries(tablesBefore).flatMap(([child, { constraints }]) =>
    constraints
      .filter(({ kind, references }) => kind === 'foreign key' && references?.table === table)
      .filter((key) => key.references?.columns.some((column) => columns.includes(column)) && !isDropped(child, key))
      .map((key) => ({ child, key })),
  );
}
