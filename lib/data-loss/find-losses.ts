import type { FuncCall, Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN, type UpgradeStep } from '../contract/facts';
import { apply, as, joined, nameOf, type Of, only, type Rules } from '../sql/nodes';
import { type BlockStatement, blockStatements, parseNode } from '../sql/parse';
import { selectsWholeTable } from './conditions';
import { recordInsertedRows } from './copies/inserted-rows';
import {
  addedColumns,
  alterLosses,
  columnsWithNewType,
  createdViews,
  dropLosses,
  movedTables,
  recordColumns,
  recordCreated,
  requiredColumns,
  setsSequenceValue,
} from './definitions';
import { dynamicSql, variablesOf } from './dynamic-sql';
import { recordEmptyResult, recordRaiseGuard } from './emptiness-checks';
import { type DestroyedData, type Loss, lossUnless, unreadableSql } from './losses';
import { RevisionState } from './revision-state';
import { rowLosses } from './rows/row-losses';
import { type ParsedStatement, statementsOf, UNKNOWN_FIRST_WORD } from './statements';

export type { DestroyedData } from './losses';

/** The maximum nesting of functions that call functions, and of blocks that run blocks. */
const MAX_DEPTH = 5;

export interface UpgradeLosses {
  /** Everything that the upgrade destroys, sorted by line. */
  readonly losses: readonly DestroyedData[];
  /** What it would destroy if it did not copy the data before, or check that there is none. */
  readonly avoided: readonly Loss[];
  /** Tables, and columns as `table.column`, that it verifies to be empty: it raises if they are not. */
  readonly verifiedEmpty: ReadonlySet<string>;
  /** Columns, such as `users.name`, that Python reads or computes other columns from: those may keep the values. */
  readonly readByPython: ReadonlySet<string>;
  /** What an UPDATE may have kept elsewhere of a column or a table, and how, by its name such as `users.name`. */
  readonly mayBeKept: ReadonlyMap<string, string>;
}

/** What the steps of an upgrade destroy. Call `loadParser()` first. */
export function findLosses(steps: readonly UpgradeStep[]): UpgradeLosses {
  const own = steps.filter(({ isEarlier, isHistory }) => !(isEarlier || isHistory));
  const parsed = own.map((step) => ({ step, statements: step.sql === undefined ? [] : statementsOf(step.sql) }));
  const nodes = parsed.flatMap(({ statements }) => nodesOf(statements));
  const views = new Set(nodes.flatMap(createdViews));
  const state = new RevisionState();
  lookAhead(nodes, state);
  for (const column of nodesIn(steps.filter(({ isEarlier }) => isEarlier)).flatMap(addedColumns)) state.columnsToFill.add(column);
  for (const node of nodesIn(steps.filter(({ isHistory }) => isHistory))) recordColumns(node, state);
  const losses = parsed.flatMap(({ step, statements }): DestroyedData[] => {
    if (step.unread !== undefined)
      return [{ rule: 'unread-sql', what: `runs ${step.unread} that can't be read`, line: step.line }];
    for (const column of step.reads ?? []) state.readByPython.add(column.replace(/^public\.(?=.*\.)/, ''));
    for (const query of step.empty ?? []) recordEmptyResult(query, state);
    return statements.flatMap((statement) => {
      const line = step.line + (step.spread ? statement.line : 0);
      const found = new LossFinder(state, views, step.before).ofStatement(statement);
      const onFailure = step.onFailure ? { onFailure: true as const } : {};
      return found.map((loss) => ({ ...loss, what: readable(loss.what), line, ...onFailure }));
    });
  });
  const unique = new Map(losses.map((loss) => [`${loss.line} ${loss.rule} ${loss.what}`, loss]));
  return {
    losses: [...unique.values()].sort((one, other) => one.line - other.line),
    avoided: state.avoided,
    verifiedEmpty: state.verifiedEmpty,
    readByPython: state.readByPython,
    mayBeKept: state.mayBeKept,
  };
}

/**
 * A text with `...` for each unknown part, such as a name that comes from the database; `shop.*` in a schema; without an unknown schema.
 * Rows of an unknown table are those of a table that is known only when it runs.
 */
export function readable(text: string): string {
  return text
    .replaceAll(`${UNKNOWN}.`, '')
    .replaceAll(`.${UNKNOWN}`, '.*')
    .replace(`rows of ${UNKNOWN}`, 'rows of a table that is known only when it runs')
    .replaceAll(UNKNOWN, '...');
}

function nodesIn(steps: readonly UpgradeStep[]): readonly Node[] {
  return steps.flatMap(({ sql = '' }) => nodesOf(statementsOf(sql)));
}

function nodesOf(statements: readonly ParsedStatement[]): readonly Node[] {
  return statements.flatMap(({ node }) => node ?? []);
}

/** Records what later statements do, where that changes the meaning of an earlier one. */
function lookAhead(nodes: readonly Node[], state: RevisionState): void {
  const enums = new Set(only(nodes, 'CreateEnumStmt').map(({ typeName }) => joined(typeName)));
  for (const column of nodes.flatMap(requiredColumns)) {
    state.columnsToFill.add(column);
    state.requiredColumns.add(column);
  }
  for (const table of nodes.flatMap(movedTables)) state.movedTables.add(table);
  for (const [column, type] of nodes.flatMap(columnsWithNewType)) if (enums.has(type)) state.replacedEnumColumns.add(column);
  state.setsSequenceValue = nodes.some(setsSequenceValue);
}

/** Functions that delete large objects, chunks of a TimescaleDB hypertable, or partitions of pg_partman, at once or as a job. */
const DELETING_FUNCTIONS = new Set([
  'lo_unlink',
  'lo_truncate',
  'drop_chunks',
  'add_retention_policy',
  'drop_partition_time',
  'drop_partition_id',
]);

/** A statement that PostgreSQL's grammar rejects can only destroy data if it has one of these words. */
const DESTRUCTIVE_WORDS = /\b(?:DROP|DELETE|TRUNCATE|UPDATE|MERGE|REPLACE|TYPE|DETACH|INHERIT|CALL|EXEC(?:UTE)?|DO|SCHEMA)\b/i;

class LossFinder {
  constructor(
    private readonly state: RevisionState,
    /** All views that the revision creates, even after the current statement. */
    private readonly views: ReadonlySet<string>,
    private readonly columnType: string | undefined,
    private readonly depth = 0,
  ) {}

  ofStatement({ node, text, mayLackCondition }: ParsedStatement): readonly Loss[] {
    if (node) return this.ofNode(node, text, mayLackCondition);
    return DESTRUCTIVE_WORDS.test(text) || UNKNOWN_FIRST_WORD.test(text) ? [unreadableSql(text)] : [];
  }

  private ofNode(node: Node, text: string, mayLackCondition = false): readonly Loss[] {
    if (recordCreated(node, this.state)) return this.ofCreated(node, text, mayLackCondition);
    return apply(this.rules, node, text, mayLackCondition) ?? rowLosses(node, this.state, mayLackCondition);
  }

  /** The losses of the query in CREATE TABLE AS, CREATE VIEW or CREATE MATERIALIZED VIEW. */
  private ofCreated(node: Node, text: string, mayLackCondition: boolean): readonly Loss[] {
    const { query, into, objtype } = as(node, 'CreateTableAsStmt') ?? {};
    const select = objtype === 'OBJECT_TABLE' ? as(query, 'SelectStmt') : undefined;
    const columns = (into?.colNames ?? []).map((name) => joined([name]));
    if (select)
      recordInsertedRows({ into: into?.rel, columns, mayOmitRows: !!(into?.skipData || select.withClause) }, select, this.state);
    return this.ofQuery(query, text, mayLackCondition);
  }

  private readonly rules: Rules<readonly Loss[], [text: string, mayLackCondition: boolean]> = {
    CreateFunctionStmt: ({ funcname }, text) => {
      this.state.functions.set(joined(funcname), text);
      return [];
    },
    AlterTableStmt: (statement) => alterLosses(statement, this.state, this.columnType),
    DropStmt: (statement) => dropLosses(statement, this.state, this.views),
    DropOwnedStmt: () => [{ rule: 'drop-owned', what: 'DROP OWNED' }],
    DropdbStmt: ({ dbname }) => [{ rule: 'drop-schema', what: `DROP DATABASE ${dbname}` }],
    TruncateStmt: (statement) => truncateLosses(statement, this.state),
    RefreshMatViewStmt: ({ relation, skipData }) => {
      const what = `REFRESH MATERIALIZED VIEW ${nameOf(relation)} WITH NO DATA`;
      return skipData ? [{ rule: 'drop-materialized-view', what, of: { kind: 'view', name: nameOf(relation) } }] : [];
    },
    DoStmt: (_, text) => this.ofBlock(text),
    CallStmt: (statement) => this.ofCalls(statement, true),
    ExplainStmt: ({ query }, text, mayLackCondition) => this.ofQuery(query, text, mayLackCondition),
    PrepareStmt: ({ query }, text, mayLackCondition) => this.ofQuery(query, text, mayLackCondition),
    CopyStmt: ({ query }, text, mayLackCondition) => this.ofQuery(query, text, mayLackCondition),
    SelectStmt: (statement, _, mayLackCondition) => [
      ...rowLosses({ SelectStmt: statement }, this.state, mayLackCondition),
      ...this.ofCalls(statement, false),
    ],
  };

  private ofQuery(query: Node | undefined, text: string, mayLackCondition: boolean): readonly Loss[] {
    return query ? this.ofNode(query, text, mayLackCondition) : [];
  }

  /** The losses of a block's statements, and of its dynamic SQL where the text is known. */
  private ofBlock(sql: string): readonly Loss[] {
    let statements: readonly BlockStatement[];
    try {
      statements = blockStatements(sql);
    } catch {
      return [unreadableSql(sql)];
    }
    const variables = variablesOf(statements);
    const tables = /\b(?:CONTINUE|EXIT)\b/i.test(sql) ? new Map<string, string>() : loopedTables(statements);
    const catches = /\bEXCEPTION\s+WHEN\b/i.test(sql);
    const entered = new Map<object, { readonly at: number; readonly before: RevisionState['mergedValues'] }>();
    return statements.flatMap(({ kind, query, mayBeSkipped, inLoop, branch }) => {
      if (branch) this.enterBranch(branch, entered);
      if (kind === 'refuse' && !(mayBeSkipped || inLoop || catches)) recordRaiseGuard(query, statements, this.state);
      if (kind === 'assign' || kind === 'refuse') return [];
      const own = mayBeSkipped
        ? query
        : query.replace(/\b(\w+)\./g, (written, name) => (tables.has(name) ? `${tables.get(name)}.` : written));
      const texts = kind === 'statement' ? [own] : dynamicSql(query, variables);
      return texts.flatMap((text) => (text === undefined ? [unreadableSql(`EXECUTE ${query}`)] : this.ofText(text)));
    });
  }

  /** Restores the merged values from before an IF when its next branch begins: only one of them runs. */
  private enterBranch(
    { of, at }: NonNullable<BlockStatement['branch']>,
    entered: Map<object, { at: number; before: RevisionState['mergedValues'] }>,
  ): void {
    const last = entered.get(of) ?? { at, before: new Map(this.state.mergedValues) };
    if (last.at !== at) {
      this.state.mergedValues.clear();
      for (const [value, sources] of last.before) this.state.mergedValues.set(value, sources);
    }
    entered.set(of, { ...last, at });
  }

  private ofText(sql: string): readonly Loss[] {
    if (this.depth >= MAX_DEPTH) return [unreadableSql(sql)];
    const inner = new LossFinder(this.state, this.views, undefined, this.depth + 1);
    return statementsOf(sql).flatMap((statement) => inner.ofStatement(statement));
  }

  /** The losses of called functions that delete rows, or that the revision created. No other function is read; an unknown procedure may do anything. */
  private ofCalls(statement: object, isProcedure: boolean): readonly Loss[] {
    return callsIn(statement).flatMap(({ funcname, args = [] }) => {
      const name = joined(funcname ?? []);
      if (DELETING_FUNCTIONS.has(name.split('.').at(-1) ?? ''))
        return this.state.isNew('table', firstTextArgument(args)) ? [] : [{ rule: 'delete-all', what: `${name}()` }];
      if (name.startsWith('dblink')) return [unreadableSql(`SELECT ${name}()`)];
      const body = this.state.functions.get(name);
      if (body === undefined) return isProcedure ? [unreadableSql(`CALL ${name}`)] : [];
      return this.depth >= MAX_DEPTH ? [unreadableSql(`SELECT ${name}()`)] : this.ofFunction(body);
    });
  }

  private ofFunction(create: string): readonly Loss[] {
    const inner = new LossFinder(this.state, this.views, undefined, this.depth + 1);
    if (/\bLANGUAGE\s+'?plpgsql/i.test(create)) return inner.ofBlock(create);
    const node = parseNode(create);
    const { options = [], sql_body = undefined } = node && 'CreateFunctionStmt' in node ? node.CreateFunctionStmt : {};
    const texts = options.flatMap((option) =>
      'DefElem' in option && option.DefElem.defname === 'as' ? flattened(option.DefElem.arg) : [],
    );
    return [
      ...texts.flatMap((part) => ('String' in part ? inner.ofText(part.String.sval ?? '') : [])),
      // BEGIN ATOMIC ... END
      ...flattened(sql_body).flatMap((part) => inner.ofNode(part, create)),
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

/** A call's first argument if it is a text, with or without a cast: `'metrics'`. */
function firstTextArgument([first]: readonly Node[]): string {
  const of = as(first, 'TypeCast')?.arg ?? first;
  return as(of, 'A_Const')?.sval?.sval ?? '';
}

function truncateLosses({ relations, behavior }: Of<'TruncateStmt'>, state: RevisionState): readonly Loss[] {
  const names = only(relations, 'RangeVar').map(nameOf);
  const losses = names.flatMap((name) => {
    if (state.isNew('table', name)) return [];
    const isKept = behavior !== 'DROP_CASCADE' && (state.isVerifiedEmpty(name) || state.copies.claimTableCopy(name));
    return lossUnless(isKept, { rule: 'truncate', what: `TRUNCATE ${name}`, of: { kind: 'rows', name } }, state);
  });
  for (const name of names) state.copies.invalidate(name);
  return losses;
}

/** The nodes of a list, flattened. */
function flattened(node: Node | undefined): readonly Node[] {
  if (!node) return [];
  return 'List' in node ? (node.List.items ?? []).flatMap(flattened) : [node];
}

/** The tables whose rows a block loops over, by the loop's variable: FOR row IN SELECT id FROM users LOOP ... WHERE id = row.id. */
function loopedTables(statements: readonly BlockStatement[]): ReadonlyMap<string, string> {
  return new Map(
    statements.flatMap(({ kind, query, into }): [string, string][] => {
      const node = kind === 'statement' && into?.length === 1 && into[0] ? parseNode(query) : undefined;
      const select = node && 'SelectStmt' in node ? node.SelectStmt : undefined;
      const [from] = select?.fromClause ?? [];
      if (!into?.[0] || !select || select.limitCount || !from || !('RangeVar' in from)) return [];
      const table = nameOf(from.RangeVar);
      return selectsWholeTable(select, [table]) ? [[into[0], table]] : [];
    }),
  );
}
