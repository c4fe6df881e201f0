import { conventionalName, execute, literal, tableArguments } from '../../advice/python';
import { quoted, quotedTable } from '../../advice/sql';
import { isVagueDescription } from '../../description';
import type { AnalyzedRevision, Step } from '../../revision/analyzed-revision';
import type { ColumnDefinition } from '../../sql/action';
import { columnType } from '../../sql/column-types';
import { longNames } from '../../sql/parse';
import { nameList } from '../name-list';
import type { Rule, RuleInfo } from '../rule';

const NAME_PREFIXES = { 'foreign key': 'fk', unique: 'uq', check: 'ck' } as const;

/** https://alembic.sqlalchemy.org/en/latest/naming.html */
export const unnamedConstraint: Rule = {
  id: 'unnamed-constraint',
  group: 'conventions',
  severity: 'warning',
  title: 'a constraint has no explicit name',
  *check({ upgrade }) {
    const found = upgrade.steps.flatMap((step) => {
      const { action } = step;
      const added =
        action.does === 'create table' ? action.constraints : action.does === 'add constraint' ? [action.constraint] : [];
      const table = 'table' in action ? action.table : '';
      return added.flatMap(({ kind, name, columns, references }) => {
        const short = kind in NAME_PREFIXES ? NAME_PREFIXES[kind as keyof typeof NAME_PREFIXES] : undefined;
        return short && !name
          ? [{ step, kind, table, columns, name: conventionalName(short, table, columns, references?.table) }]
          : [];
      });
    });
    const [first] = found;
    if (!first) return;
    const which = found.map(
      ({ kind, table, columns }) => `${kind} of ${table}${columns.length ? ` (${columns.join(', ')})` : ''}`,
    );
    yield {
      ...first.step.place,
      message: `PostgreSQL chooses a name for ${nameList(which)}: a later revision can't rely on that name, and autogenerate writes drop_constraint(None)`,
      instead: `name=${literal(first.name)}  # or once for all: MetaData(naming_convention={...})`,
    };
  },
};

export const longName: Rule = {
  id: 'long-name',
  group: 'conventions',
  severity: 'warning',
  title: 'a name has more than 63 bytes',
  *check({ upgrade }) {
    const reported = new Set<string>();
    for (const { sql, place } of upgrade.steps) {
      for (const name of longNames(sql)) {
        if (reported.has(name)) continue;
        reported.add(name);
        yield {
          ...place,
          message: `PostgreSQL truncates names to 63 bytes, so ${name} becomes ${Buffer.from(name).subarray(0, 63)}: the models and the database use different names`,
        };
      }
    }
  },
};

export const literalIndex: Rule = {
  id: 'literal-index',
  group: 'conventions',
  severity: 'warning',
  title: 'an index on a constant instead of a column',
  *check({ upgrade }) {
    for (const { action, place } of upgrade.steps) {
      if (action.does !== 'create index') continue;
      const { table, schema } = tableArguments(action.table);
      for (const value of action.literals) {
        yield {
          ...place,
          message: `${action.index ?? 'the index'} of ${action.table} indexes a constant ('${value}') instead of a column: no query can use it${action.unique ? ', and a second row violates its uniqueness' : ''}`,
          instead: /\W/.test(value)
            ? execute(
                `CREATE INDEX ${quoted(action.index ?? conventionalName('ix', action.table, action.columns))} ON ${quotedTable(action.table)} (<expression of columns, without quotes around their names>)`,
              )
            : `op.create_index(${literal(action.index ?? '...')}, ${table}, [${literal(value)}]${schema})`,
        };
      }
    }
  },
};

/** A rule about the columns that a revision adds, reported once per revision. */
function columnRule(
  info: Omit<RuleInfo, 'group' | 'severity'>,
  matches: (column: ColumnDefinition, isForeignKey: boolean) => boolean,
  message: (columns: string) => string,
  instead: string,
): Rule {
  return {
    ...info,
    group: 'conventions',
    severity: 'warning',
    *check({ upgrade }: AnalyzedRevision) {
      const found = upgrade.steps.flatMap((step: Step) => {
        const { action } = step;
        const columns = action.does === 'create table' ? action.columns : action.does === 'add column' ? [action.column] : [];
        const foreign = (action.does === 'create table' ? action.constraints : []).filter(({ kind }) => kind === 'foreign key');
        const isForeignKey = (name: string) => foreign.some(({ columns }) => columns.includes(name));
        return columns
          .filter((column) => matches(column, isForeignKey(column.name)))
          .map(({ name }) => ({ step, name: `${'table' in action ? action.table : ''}.${name}` }));
      });
      const [first] = found;
      if (first) yield { ...first.step.place, message: message(nameList(found.map(({ name }) => name))), instead };
    },
  };
}

export const integerPrimaryKey = columnRule(
  { id: 'integer-primary-key', title: 'a 32-bit primary key' },
  // A key that is a foreign key has the type of the key that it refers to.
  ({ type, primaryKey }, refers) => primaryKey && !refers && ['integer', 'smallint'].includes(columnType(type).name),
  (columns) => `${columns}: a 32-bit key runs out after 2,147,483,647 inserts, and widening it rewrites the table`,
  'sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)\n# and in the model: id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)',
);

export const timestampWithoutTimeZone = columnRule(
  { id: 'timestamp-without-time-zone', title: 'a timestamp without time zone' },
  ({ type }) => columnType(type).name === 'timestamp without time zone',
  (columns) => `${columns}: without a time zone the moment is ambiguous, because each session reads it in its own zone`,
  'sa.DateTime(timezone=True)\n# and in the model: mapped_column(sa.DateTime(timezone=True))',
);

export const jsonColumn = columnRule(
  { id: 'json-column', title: 'a column of type json' },
  ({ type }) => columnType(type).name === 'json',
  (columns) => `${columns}: json has no equality operator, so SELECT DISTINCT, UNION and GROUP BY fail, and it can't be indexed`,
  'postgresql.JSONB()\n# and in the model: mapped_column(postgresql.JSONB)',
);

export const vagueDescription: Rule = {
  id: 'vague-description',
  group: 'conventions',
  severity: 'warning',
  title: 'the description does not say what changes',
  *check({ facts }) {
    if (facts.downRevisions.length > 1 || !isVagueDescription(facts.message)) return;
    yield {
      line: 1,
      seen: 'source',
      message: `"${facts.message}" does not say what changes, and it is all that a deploy's plan and "alembic history" show`,
      instead: '"""Add index on users.email"""',
    };
  },
};
