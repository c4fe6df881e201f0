import type { SchemaChange } from '../../contract/facts';
import { keptUntil } from '../../contract/set-aside';
import { installation } from '../../local/installation';
import { fillCommand } from '../advice/backfill';
import { literal, tableArguments } from '../advice/python';
import type { Change } from '../revision/change';
import { nameList } from './name-list';
import type { Rule } from './rule';

export const drift: Rule = {
  id: 'drift',
  group: 'drift',
  severity: 'warning',
  title: 'models and migrations disagree',
  *checkProject({ input }) {
    if (!input.drift || input.drift.reason) return;
    const { operations, catalog } = input.drift;
    const place = headPlace(input);
    // One finding for each kind: all have the same reason, and the same next step.
    const [operation, ...more] = operations;
    if (operation) {
      const needed = more.length > 0 ? `${operations.length} operations` : 'an operation';
      yield {
        ...place,
        message: `the models need ${needed} that no revision has: ${nameList(operations.map(brief), '; ')}`,
        instead: `${installation().command} create "..."`,
      };
    }
    for (const message of differences(catalog)) yield { ...place, message };
  },
};

/** The beginning of a definition: a whole table would hide what else differs. */
function brief(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

/** Differences that autogenerate does not detect. */
function* differences({ added, removed, changed }: SchemaChange): Iterable<string> {
  const [migrated, modelled] = [Object.keys(removed), Object.keys(added)];
  if (migrated.length > 0) yield `the migrations create ${nameList(migrated)}, the models do not`;
  if (modelled.length > 0) yield `the models create ${nameList(modelled)}, no migration does`;
  const all = Object.entries(changed);
  const defaults = all.filter(([, [before, after]]) => before.startsWith(`${after} DEFAULT `));
  const others = all.filter((one) => defaults.length === 1 || !defaults.includes(one));
  const both = others.map(([name, [before, after]]) => `${name} is ${before} in the migrations and ${after} in the models`);
  if (both.length > 0) yield nameList(both, '; ');
  // Common and harmless: where code inserts the values, models need no default in the database.
  if (defaults.length > 1) yield `only the migrations have defaults of ${byTable(defaults.map(([name]) => name))}`;
}

/** What `create --keep-dropped` kept until a day that has passed, and what the code before a rename needed. */
export const dropDue: Rule = {
  id: 'drop-due',
  group: 'drift',
  severity: 'warning',
  title: 'what an earlier revision left to a later release is due now',
  *checkProject({ input }) {
    for (const { file, dropped, required } of input.drift?.due ?? []) {
      const [[table, column] = []] = dropped;
      const names = dropped.map((one) => one.join('.')).join(', ');
      for (const [owner, name] of required) {
        yield {
          ...headPlace(input),
          message: `${owner}.${name} is required in the models and may be NULL since ${file}: when all running code writes it, fill the rows without it and require it`,
          instead: [fillCommand(owner, name), `${installation().command} create "Require ${name} of ${owner}"`].join('\n'),
        };
      }
      if (dropped.length === 0) continue;
      yield {
        ...headPlace(input),
        message: `only code from before ${file} uses ${names}: when it no longer runs, drop it in a separate revision`,
        instead: `${installation().command} create "Drop ${column} of ${table}"`,
      };
    }
    const today = new Date(input.started).toISOString().slice(0, 'YYYY-MM-DD'.length);
    for (const { table, column } of input.drift?.setAside ?? []) {
      const until = keptUntil(column ?? table);
      if (until === undefined || until >= today) continue;
      const names = tableArguments(table);
      const [rule, drop] = column
        ? ['drop-column', `op.drop_column(${names.table}, ${literal(column)}${names.schema})`]
        : ['drop-table', `op.drop_table(${names.table}${names.schema})`];
      yield {
        ...headPlace(input),
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

function headPlace({ graph }: Change['input']) {
  const head = graph.revisions.find(({ revision }) => graph.heads.includes(revision));
  return { file: head?.file ?? 'alembic.ini', revision: head?.revision, line: 1, seen: 'replay' as const };
}
