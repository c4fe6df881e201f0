import { keptUntil } from '../../contract/set-aside';
import { installation } from '../../local/installation';
import { literal, tableArguments } from '../advice/python';
import type { Change } from '../revision/change';
import type { Rule } from './rule';

export const drift: Rule = {
  id: 'drift',
  group: 'drift',
  severity: 'warning',
  title: 'models and migrations disagree',
  *checkProject({ input }) {
    if (!input.drift || input.drift.reason) return;
    const { operations, catalog } = input.drift;
    const place = atHead(input);
    for (const operation of operations) {
      yield {
        ...place,
        message: `the models need an operation that no revision has: ${operation}`,
        instead: `${installation().command} create "..."`,
      };
    }
    const changed = Object.entries(catalog.changed);
    const defaults = changed.filter(([, [migrated, modelled]]) => migrated.startsWith(`${modelled} DEFAULT `));
    const differences = [
      ...Object.keys(catalog.removed).map((name) => `the migrations create ${name}, the models do not`),
      ...Object.keys(catalog.added).map((name) => `the models create ${name}, no migration does`),
      ...changed
        .filter((one) => defaults.length === 1 || !defaults.includes(one))
        .map(([name, [migrated, modelled]]) => `${name} is ${migrated} in the migrations and ${modelled} in the models`),
      // A habit: where code inserts the values, models need no default in the database.
      ...(defaults.length > 1 ? [`only the migrations have defaults of ${byTable(defaults.map(([name]) => name))}`] : []),
    ];
    for (const message of differences) yield { ...place, message };
  },
};

/** What `create --keep-dropped` kept, and whose last day has passed. */
export const dropDue: Rule = {
  id: 'drop-due',
  group: 'drift',
  severity: 'warning',
  title: 'a column or table that was set aside can be dropped now',
  *checkProject({ input }) {
    const today = new Date(input.started).toISOString().slice(0, 'YYYY-MM-DD'.length);
    for (const { table, column } of input.drift?.setAside ?? []) {
      const until = keptUntil(column ?? table);
      if (until === undefined || until >= today) continue;
      const names = tableArguments(table);
      const [rule, drop] = column
        ? ['drop-column', `op.drop_column(${names.table}, ${literal(column)}${names.schema})`]
        : ['drop-table', `op.drop_table(${names.table}${names.schema})`];
      yield {
        ...atHead(input),
        message: `${column ? `${table}.${column}` : table} was kept until ${until}: if nobody needs it anymore, drop it in a new revision`,
        instead: `# cdk-alembic: allow ${rule}: kept until ${until}, and nobody needed it\n${drop}`,
      };
    }
  },
};

/** `column users.name` and `column users.age` as `users (name, age)`. */
function byTable(columns: readonly string[]): string {
  const tables = new Map<string, string[]>();
  for (const column of columns) {
    const [, table = '', name = ''] = /^column (.*)\.(.*)$/.exec(column) ?? [];
    tables.set(table, [...(tables.get(table) ?? []), name]);
  }
  return [...tables].map(([table, names]) => `${table} (${names.join(', ')})`).join(', ');
}

function atHead({ graph }: Change['input']) {
  const head = graph.revisions.find(({ revision }) => graph.heads.includes(revision));
  return { file: head?.file ?? 'alembic.ini', revision: head?.revision, line: 1, seen: 'replay' as const };
}
