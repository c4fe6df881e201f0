import type { FuncCall, Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN, type UpgradeStep } from '../contract/facts';
import { apply, as, joined, nameOf, type Of, only, type Rules } from '../sql/nodes';
import { type BlockStatement, blockStatements, parseNode } from '../sql/parse';
import { isWholeTable } from './conditions';
import { noteRows } from './copies';
import { Created } from './created';
import {
  addedColumns,
  alterLosses,
  continuesNumbers,
  createdViews,
  describe,
  dropLosses,
  makes,
  movedTables,
  requiredColumns,
  retypedColumns,
} from './definitions';
import { dynamicSql, selected } from './dynamic';
import { noteEmpty, refuses } from './empty';
import { type DestroyedData, type Loss, unless, unreadable } from './losses';
import { rowLosses } from './rows';
import { type Parsed, STARTS_UNKNOWN, statementsOf } from './texts';

export type { DestroyedData } from './losses';

/** The maximum depth of functions that call functions and of blocks that run blocks. */
const DEEPEST = 5;

export interface Judged {
  /** Everything that an upgrade destroys, by line. */
  readonly destroys: readonly DestroyedData[];
  /** What it would destroy if it had not copied it before, or checked that nothing is there. */
  readonly keeps: readonly Loss[];
  /** Tables, and columns as `table.column`, that it has checked to hold nothing: otherwise it stops. */
  readonly empty: ReadonlySet<string>;
  /** Columns, such as `users.name`, that Python reads, or from which it computes what it puts into others: they may keep it. */
  readonly derived: ReadonlySet<string>;
}

/** Load the parser first. */
export function judge(steps: readonly UpgradeStep[]): Judged {
  const own = steps.filter(({ isEarlier, isHistory }) => !(isEarlier || isHistory));
  const all = own.map((step) => ({ step, statements: step.sql === undefined ? [] : statementsOf(step.sql) }));
  const nodes = all.flatMap(({ statements }) => nodesOf(statements));
  const created = new Set(nodes.flatMap(createdViews));
  const made = new Created();
  foresee(nodes, made);
  const written = (some: readonly UpgradeStep[]) => some.flatMap(({ sql = '' }) => nodesOf(statementsOf(sql)));
  for (const column of written(steps.filter(({ isEarlier }) => isEarlier)).flatMap(addedColumns)) made.toFill.add(column);
  for (const node of written(steps.filter(({ isHistory }) => isHistory))) describe(node, made);
  const found = all.flatMap(({ step, statements }): DestroyedData[] => {
    if (step.unread !== undefined)
      return [{ rule: 'unread-sql', what: `runs ${step.unread} that can't be read`, line: step.line }];
    for (const column of step.reads ?? []) made.derived.add(column);
    for (const query of step.empty ?? []) noteEmpty(query, made);
    return statements.flatMap((statement) => {
      const line = step.line + (step.spread ? statement.line : 0);
      const losses = new Judge(made, created, step.before).losses(statement);
      return losses.map(({ rule, what }) => ({ rule, what: readable(what), line }));
    });
  });
  const unique = new Map(found.map((loss) => [`${loss.line} ${loss.rule} ${loss.what}`, loss]));
  return {
    destroys: [...unique.values()].sort((one, other) => one.line - other.line),
    keeps: made.excused,
    empty: made.empty,
    derived: made.derived,
  };
}

/** With `...` for what is not known, and without an unknown schema. */
export function readable(text: string): string {
  return text.replaceAll(`${UNKNOWN}.`, '').replaceAll(UNKNOWN, '...');
}

function nodesOf(statements: readonly Parsed[]): readonly Node[] {
  return statements.flatMap(({ node }) => node ?? []);
}

/** Notes what later statements of the revision do, as far as that tells what an earlier one means. */
function foresee(nodes: readonly Node[], made: Created): void {
  const enums = new Set(only(nodes, 'CreateEnumStmt').map(({ typeName }) => joined(typeName)));
  for (const column of nodes.flatMap(requiredColumns)) made.toFill.add(column);
  for (const table of nodes.flatMap(movedTables)) made.moved.add(table);
  for (const [column, type] of nodes.flatMap(retypedColumns)) if (enums.has(type)) made.enums.add(column);
  made.continuesNumbers = nodes.some(continuesNumbers);
}

/** Functions that delete large objects, chunks of a TimescaleDB hypertable, and partitions of pg_partman; now, or as a job. */
const DELETING = new Set([
  'lo_unlink',
  'lo_truncate',
  'drop_chunks',
  'add_retention_policy',
  'drop_partition_time',
  'drop_partition_id',
]);

/** A statement that PostgreSQL's grammar rejects destroys nothing without one of these words: CREATE TABLE, PRAGMA. */
const MAY_DESTROY = /\b(?:DROP|DELETE|TRUNCATE|UPDATE|MERGE|REPLACE|TYPE|DETACH|INHERIT|CALL|EXEC(?:UTE)?|DO|SCHEMA)\b/i;

class Judge {
  constructor(
    private readonly made: Created,
    /** All views that the revision creates, even after the current statement. */
    private readonly created: ReadonlySet<string>,
    private readonly before: string | undefined,
    private readonly depth = 0,
  ) {}

  losses({ node, text, isCut }: Parsed): readonly Loss[] {
    if (node) return this.ofNode(node, text, isCut);
    return MAY_DESTROY.test(text) || STARTS_UNKNOWN.test(text) ? [unreadable(text)] : [];
  }

  private ofNode(node: Node, text: string, isCut = false): readonly Loss[] {
    if (makes(node, this.made)) return this.ofCopied(node, text, isCut);
    return apply(this.rules, node, text, isCut) ?? rowLosses(node, this.made, isCut);
  }

  /** What the query of a CREATE TABLE AS, of a view or of a materialized view destroys. */
  private ofCopied(node: Node, text: string, isCut: boolean): readonly Loss[] {
    const { query, into, objtype } = as(node, 'CreateTableAsStmt') ?? {};
    const select = objtype === 'OBJECT_TABLE' ? as(query, 'SelectStmt') : undefined;
    const columns = (into?.colNames ?? []).map((name) => joined([name]));
    if (select) noteRows({ into: into?.rel, columns, isPartly: !!(into?.skipData || select.withClause) }, select, this.made);
    return this.of(query, text, isCut);
  }

  private readonly rules: Rules<readonly Loss[], [text: string, isCut: boolean]> = {
    CreateFunctionStmt: ({ funcname }, text) => {
      this.made.functions.set(joined(funcname), text);
      return [];
    },
    AlterTableStmt: (statement) => alterLosses(statement, this.made, this.before),
    DropStmt: (statement) => dropLosses(statement, this.made, this.created),
    DropOwnedStmt: () => [{ rule: 'drop-owned', what: 'DROP OWNED' }],
    DropdbStmt: ({ dbname }) => [{ rule: 'drop-schema', what: `DROP DATABASE ${dbname}` }],
    TruncateStmt: (statement) => truncateLosses(statement, this.made),
    RefreshMatViewStmt: ({ relation, skipData }) => {
      const what = `REFRESH MATERIALIZED VIEW ${nameOf(relation)} WITH NO DATA`;
      return skipData ? [{ rule: 'drop-materialized-view', what }] : [];
    },
    DoStmt: (_, text) => this.block(text),
    CallStmt: (statement) => this.called(statement, true),
    ExplainStmt: ({ query }, text, isCut) => this.of(query, text, isCut),
    PrepareStmt: ({ query }, text, isCut) => this.of(query, text, isCut),
    CopyStmt: ({ query }, text, isCut) => this.of(query, text, isCut),
    SelectStmt: (statement, _, isCut) => [
      ...rowLosses({ SelectStmt: statement }, this.made, isCut),
      ...this.called(statement, false),
    ],
  };

  private of(query: Node | undefined, text: string, isCut: boolean): readonly Loss[] {
    return query ? this.ofNode(query, text, isCut) : [];
  }

  /** Judges the statements of a block, and those that it executes dynamically if their text can be determined. */
  private block(sql: string): readonly Loss[] {
    let statements: readonly BlockStatement[];
    try {
      statements = blockStatements(sql);
    } catch {
      return [unreadable(sql)];
    }
    const variables = variablesOf(statements);
    const tables = /\b(?:CONTINUE|EXIT)\b/i.test(sql) ? new Map<string, string>() : loopedTables(statements);
    const catches = /\bEXCEPTION\s+WHEN\b/i.test(sql);
    const given = new Map<object, { readonly at: number; readonly before: Created['given'] }>();
    return statements.flatMap(({ kind, query, mayBeSkipped, inLoop, branch }) => {
      if (branch) this.enter(branch, given);
      if (kind === 'refuse' && !(mayBeSkipped || inLoop || catches)) refuses(query, statements, this.made);
      if (kind === 'assign' || kind === 'refuse') return [];
      const own = mayBeSkipped
        ? query
        : query.replace(/\b(\w+)\./g, (written, name) => (tables.has(name) ? `${tables.get(name)}.` : written));
      const texts = kind === 'statement' ? [own] : dynamicSql(query, variables);
      return texts.flatMap((text) => (text === undefined ? [unreadable(`EXECUTE ${query}`)] : this.within(text)));
    });
  }

  /** What another branch of the same IF has written does not count. */
  private enter(
    { of, at }: NonNullable<BlockStatement['branch']>,
    entered: Map<object, { at: number; before: Created['given'] }>,
  ): void {
    const last = entered.get(of) ?? { at, before: new Map(this.made.given) };
    if (last.at !== at) {
      this.made.given.clear();
      for (const [value, sources] of last.before) this.made.given.set(value, sources);
    }
    entered.set(of, { ...last, at });
  }

  private within(sql: string): readonly Loss[] {
    if (this.depth >= DEEPEST) return [unreadable(sql)];
    const inner = new Judge(this.made, this.created, undefined, this.depth + 1);
    return statementsOf(sql).flatMap((statement) => inner.losses(statement));
  }

  /** Judges called functions that delete or that the revision created. The body of any other is unknown; a procedure may do anything. */
  private called(statement: object, isProcedure: boolean): readonly Loss[] {
    return callsIn(statement).flatMap(({ funcname, args = [] }) => {
      const name = joined(funcname ?? []);
      if (DELETING.has(name.split('.').at(-1) ?? ''))
        return this.made.has('table', firstText(args)) ? [] : [{ rule: 'delete-all', what: `${name}()` }];
      if (name.startsWith('dblink')) return [unreadable(`SELECT ${name}()`)];
      const body = this.made.functions.get(name);
      if (body === undefined) return isProcedure ? [unreadable(`CALL ${name}`)] : [];
      return this.depth >= DEEPEST ? [unreadable(`SELECT ${name}()`)] : this.body(body);
    });
  }

  private body(create: string): readonly Loss[] {
    const inner = new Judge(this.made, this.created, undefined, this.depth + 1);
    if (/\bLANGUAGE\s+'?plpgsql/i.test(create)) return inner.block(create);
    const node = parseNode(create);
    const { options = [], sql_body = undefined } = node && 'CreateFunctionStmt' in node ? node.CreateFunctionStmt : {};
    const texts = options.flatMap((option) =>
      'DefElem' in option && option.DefElem.defname === 'as' ? listed(option.DefElem.arg) : [],
    );
    return [
      ...texts.flatMap((part) => ('String' in part ? inner.within(part.String.sval ?? '') : [])),
      // BEGIN ATOMIC ... END
      ...listed(sql_body).flatMap((part) => inner.ofNode(part, create)),
    ];
  }
}

function callsIn(statement: object): readonly FuncCall[] {
  const found: FuncCall[] = [];
  JSON.stringify(statement, (key, inner) => {
    if (key === 'FuncCall' || key === 'funccall') found.push(inner);
    return inner;
  });
  return found;
}

/** `'metrics'`, also with a cast: a call's first argument. */
function firstText([first]: readonly Node[]): string {
  const of = as(first, 'TypeCast')?.arg ?? first;
  return as(of, 'A_Const')?.sval?.sval ?? '';
}

function truncateLosses({ relations, behavior }: Of<'TruncateStmt'>, made: Created): readonly Loss[] {
  const names = only(relations, 'RangeVar').map(nameOf);
  const losses = names.flatMap((name) => {
    if (made.has('table', name)) return [];
    const isKept = behavior !== 'DROP_CASCADE' && (made.isEmpty(name) || made.kept.keepsTable(name));
    return unless(isKept, { rule: 'truncate', what: `TRUNCATE ${name}` }, made);
  });
  for (const name of names) made.kept.change(name);
  return losses;
}

/** The nodes of a list, flattened. */
function listed(node: Node | undefined): readonly Node[] {
  if (!node) return [];
  return 'List' in node ? (node.List.items ?? []).flatMap(listed) : [node];
}

/** Tables over whose rows a block loops, by the loop's variable: FOR row IN SELECT id FROM users LOOP ... WHERE id = row.id. */
function loopedTables(statements: readonly BlockStatement[]): ReadonlyMap<string, string> {
  return new Map(
    statements.flatMap(({ kind, query, into }): [string, string][] => {
      const node = kind === 'statement' && into?.length === 1 && into[0] ? parseNode(query) : undefined;
      const select = node && 'SelectStmt' in node ? node.SelectStmt : undefined;
      const [from] = select?.fromClause ?? [];
      if (!into?.[0] || !select || select.limitCount || !from || !('RangeVar' in from)) return [];
      const table = nameOf(from.RangeVar);
      return isWholeTable(select, [table]) ? [[into[0], table]] : [];
    }),
  );
}

function variablesOf(statements: readonly BlockStatement[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [name, expression] of statements.flatMap(assignments)) {
    const key = name.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), expression]);
  }
  return found;
}

/** The variables that a statement sets, each with its expression: `FOR row IN SELECT ... AS command`, `SELECT ... INTO command`. */
function assignments({ kind, query, into = [] }: BlockStatement): readonly (readonly [name: string, expression: string])[] {
  const [first = '', ...more] = into;
  if (kind === 'assign') return [[first, query]];
  const columns = kind === 'statement' && into.length ? selected(query) : [];
  const fields = first && !more.length ? columns.filter(({ name }) => name) : [];
  return [
    ...fields.map(({ name, expression }) => [`${first}.${name}`, expression] as const),
    ...columns.slice(0, into.length).map(({ expression }, index) => [into[index] ?? '', expression] as const),
  ];
}
