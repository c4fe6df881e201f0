import type { AlterTableCmd, Node, SelectStmt } from 'libpg-query';
import type { DataLossRule } from '../contract';
import { UNKNOWN_VALUE as UNKNOWN, type UpgradeStep } from '../contract/facts';
import { type BlockStatement, blockStatements, parseNode, parseStatements } from '../sql/parse';
import { isEmpty, isEveryRow } from './conditions';
import { convertsLossily } from './conversions';
import { joined, Made, nameOf } from './made';

/** A place in an upgrade that destroys data, or of which nobody can tell. */
export interface DestroyedData {
  readonly rule: DataLossRule;
  /** Such as `DROP TABLE users`. */
  readonly what: string;
  /** In the revision's file. */
  readonly line: number;
}

/** Everything that an upgrade destroys, by line. The parser must be loaded. */
export function judge(steps: readonly UpgradeStep[]): readonly DestroyedData[] {
  const made = new Made();
  const all = steps.map((step) => ({ step, statements: step.sql === undefined ? [] : statementsOf(step.sql) }));
  const created = new Set(all.flatMap(({ statements }) => statements.flatMap(({ node }) => createdViews(node))));
  const found = all.flatMap(({ step, statements }): DestroyedData[] => {
    if (step.unread !== undefined)
      return [{ rule: 'unread-sql', what: `runs ${step.unread} that can't be read`, line: step.line }];
    return statements.flatMap(({ text, line: below, node }) => {
      const line = step.line + (step.spread ? below : 0);
      const losses = node ? new Statement(made, created, step.before).losses(node, text) : [unreadable(text)];
      return losses.map(({ rule, what }) => ({ rule, what: shown(what), line }));
    });
  });
  const unique = new Map(found.map((loss) => [`${loss.line} ${loss.rule} ${loss.what}`, loss]));
  return [...unique.values()].sort((one, other) => one.line - other.line);
}

type Loss = Omit<DestroyedData, 'line'>;

interface Parsed {
  readonly text: string;
  readonly line: number;
  readonly node?: Node;
}

/** A value that is not known may stand where no identifier can: then a number, or nothing, is tried in its place. */
function statementsOf(sql: string): readonly Parsed[] {
  const attempts = sql.includes(UNKNOWN) ? [UNKNOWN, '1', ''] : [UNKNOWN];
  const found = attempts.map((value) => parseStatements(sql.replaceAll(UNKNOWN, value)));
  const parsed = found.find((statements) => statements.every(({ node }) => node));
  // psql's own commands are not the server's.
  return (parsed ?? found[0] ?? []).filter(({ node, text }) => node ?? !/^\\[a-z]/i.test(text));
}

function unreadable(text: string): Loss {
  const start = text.replaceAll(UNKNOWN, '...').replace(/\s+/g, ' ').slice(0, 60);
  return { rule: 'unread-sql', what: `runs SQL that can't be read: ${start}` };
}

function shown(what: string): string {
  return what.replaceAll(UNKNOWN, '...');
}

function createdViews(node: Node | undefined): readonly string[] {
  if (!node) return [];
  if ('ViewStmt' in node) return [nameOf(node.ViewStmt.view)];
  return 'CreateTableAsStmt' in node && node.CreateTableAsStmt.objtype === 'OBJECT_MATVIEW'
    ? [nameOf(node.CreateTableAsStmt.into?.rel)]
    : [];
}

class Statement {
  constructor(
    private readonly made: Made,
    /** Views that the revision makes, before or after. */
    private readonly created: ReadonlySet<string>,
    private readonly before: string | undefined,
    private readonly depth = 0,
  ) {}

  losses(node: Node, text: string): readonly Loss[] {
    const { made } = this;
    if ('CreateStmt' in node) {
      const { relation, if_not_exists } = node.CreateStmt;
      made.add('table', nameOf(relation), !!if_not_exists && relation?.relpersistence !== 't');
    } else if ('CreateTableAsStmt' in node) {
      const { into, objtype, query, if_not_exists } = node.CreateTableAsStmt;
      const kind = objtype === 'OBJECT_TABLE' ? 'table' : 'view';
      made.add(kind, nameOf(into?.rel), !!if_not_exists && into?.rel?.relpersistence !== 't');
      return query ? this.losses(query, text) : [];
    } else if ('ViewStmt' in node) made.add('view', nameOf(node.ViewStmt.view));
    else if ('CreateSchemaStmt' in node)
      made.add('schema', node.CreateSchemaStmt.schemaname ?? '', !!node.CreateSchemaStmt.if_not_exists);
    else if ('CreateEnumStmt' in node) made.add('type', joined(node.CreateEnumStmt.typeName));
    else if ('CreateDomainStmt' in node) made.add('type', joined(node.CreateDomainStmt.domainname));
    else if ('CreateRangeStmt' in node) made.add('type', joined(node.CreateRangeStmt.typeName));
    else if ('CompositeTypeStmt' in node) made.add('type', nameOf(node.CompositeTypeStmt.typevar));
    else if ('CreateFunctionStmt' in node) made.functions.set(joined(node.CreateFunctionStmt.funcname), text);
    else if ('RenameStmt' in node) this.renamed(node.RenameStmt);
    else if ('AlterTableStmt' in node) return this.altered(node.AlterTableStmt);
    else if ('DropStmt' in node) return this.dropped(node.DropStmt);
    else if ('DropOwnedStmt' in node) return [{ rule: 'drop-owned', what: 'DROP OWNED' }];
    else if ('DropdbStmt' in node) return [{ rule: 'drop-schema', what: `DROP DATABASE ${node.DropdbStmt.dbname}` }];
    else if ('TruncateStmt' in node) {
      const names = (node.TruncateStmt.relations ?? []).map((table) => ('RangeVar' in table ? nameOf(table.RangeVar) : ''));
      return names.filter((name) => !made.has('table', name)).map((name) => ({ rule: 'truncate', what: `TRUNCATE ${name}` }));
    } else if ('RefreshMatViewStmt' in node) {
      const { relation, skipData } = node.RefreshMatViewStmt;
      return skipData
        ? [{ rule: 'drop-materialized-view', what: `REFRESH MATERIALIZED VIEW ${nameOf(relation)} WITH NO DATA` }]
        : [];
    } else if ('DoStmt' in node) return this.block(text);
    else if ('CallStmt' in node) return this.called(JSON.stringify(node), true);
    else if ('ExplainStmt' in node) return node.ExplainStmt.query ? this.losses(node.ExplainStmt.query, text) : [];
    else if ('PrepareStmt' in node) return node.PrepareStmt.query ? this.losses(node.PrepareStmt.query, text) : [];
    else if ('CopyStmt' in node) return node.CopyStmt.query ? this.losses(node.CopyStmt.query, text) : [];
    else return this.rows(node, text);
    return [];
  }

  /** What statements do that read and write rows, with what their WITH does. */
  private rows(node: Node, text: string): readonly Loss[] {
    const found: Loss[] = [];
    if ('DeleteStmt' in node) {
      const { relation, whereClause, withClause } = node.DeleteStmt;
      found.push(...this.parts(withClause, text), ...this.emptied(nameOf(relation), whereClause, relation?.alias?.aliasname));
    } else if ('UpdateStmt' in node) {
      const { relation, whereClause, withClause, targetList = [] } = node.UpdateStmt;
      found.push(...this.parts(withClause, text), ...this.cleared(nameOf(relation), whereClause, targetList));
    } else if ('MergeStmt' in node) {
      const { relation, mergeWhenClauses = [], withClause } = node.MergeStmt;
      const deletes = mergeWhenClauses.some(
        (part) => 'MergeWhenClause' in part && part.MergeWhenClause.commandType === 'CMD_DELETE',
      );
      if (deletes && !this.made.has('table', nameOf(relation)))
        found.push({ rule: 'delete-all', what: `MERGE INTO ${nameOf(relation)} ... DELETE` });
      found.push(...this.parts(withClause, text));
    } else if ('InsertStmt' in node) {
      const { withClause, selectStmt } = node.InsertStmt;
      found.push(...this.parts(withClause, text), ...(selectStmt ? this.rows(selectStmt, text) : []));
    } else if ('SelectStmt' in node) {
      const { intoClause } = node.SelectStmt;
      if (intoClause?.rel) this.made.add('table', nameOf(intoClause.rel));
      found.push(...this.selected(node.SelectStmt, text), ...this.called(JSON.stringify(node), false));
    }
    return found;
  }

  private selected(select: SelectStmt, text: string): readonly Loss[] {
    const sides = [select.larg, select.rarg].flatMap((side) => (side ? this.selected(side, text) : []));
    return [...this.parts(select.withClause, text), ...sides];
  }

  private parts(clause: SelectStmt['withClause'], text: string): readonly Loss[] {
    return (clause?.ctes ?? []).flatMap((part) =>
      'CommonTableExpr' in part && part.CommonTableExpr.ctequery ? this.rows(part.CommonTableExpr.ctequery, text) : [],
    );
  }

  private emptied(table: string, where: Node | undefined, alias: string | undefined): readonly Loss[] {
    if (this.made.has('table', table) || !isEveryRow(where, table)) return [];
    // DELETE FROM users {where}
    if (alias?.includes(UNKNOWN)) return [unreadable(`DELETE FROM ${table} ${alias}`)];
    return [{ rule: 'delete-all', what: `DELETE FROM ${table}` }];
  }

  private cleared(table: string, where: Node | undefined, targets: readonly Node[]): readonly Loss[] {
    return targets.flatMap((target) => {
      if (!('ResTarget' in target) || !isEmpty(target.ResTarget.val)) return [];
      const { name = '' } = target.ResTarget;
      if (this.made.hasColumn(table, name)) return [];
      return isEveryRow(where, table) || isSetAnyway(where, name)
        ? [{ rule: 'clear-column', what: `UPDATE ${table} SET ${name} to nothing` }]
        : [];
    });
  }

  private renamed({
    renameType,
    relation,
    object,
    subname = '',
    newname = '',
  }: Extract<Node, { RenameStmt: unknown }>['RenameStmt']): void {
    if (renameType === 'OBJECT_TABLE' || renameType === 'OBJECT_VIEW' || renameType === 'OBJECT_MATVIEW') {
      const from = nameOf(relation);
      const schema = from.includes('.') ? `${from.slice(0, from.lastIndexOf('.'))}.` : '';
      this.made.rename(renameType === 'OBJECT_TABLE' ? 'table' : 'view', from, `${schema}${newname}`);
    } else if (renameType === 'OBJECT_COLUMN') {
      this.made.rename('column', `${nameOf(relation)}.${subname}`, `${nameOf(relation)}.${newname}`);
    } else if (renameType === 'OBJECT_TYPE' || renameType === 'OBJECT_DOMAIN') {
      const parts = object && 'List' in object ? (object.List.items ?? []) : [];
      const from = joined(parts);
      this.made.rename('type', from, from.includes('.') ? `${from.slice(0, from.lastIndexOf('.'))}.${newname}` : newname);
    } else if (renameType === 'OBJECT_SCHEMA') this.made.rename('schema', subname, newname);
  }

  private altered({
    relation,
    cmds = [],
    objtype,
  }: Extract<Node, { AlterTableStmt: unknown }>['AlterTableStmt']): readonly Loss[] {
    const table = nameOf(relation);
    return cmds.flatMap((command) =>
      'AlterTableCmd' in command ? this.part(table, objtype === 'OBJECT_TYPE', command.AlterTableCmd) : [],
    );
  }

  private part(
    table: string,
    isType: boolean,
    { subtype = 'AT_AddColumn', name = '', def, missing_ok }: AlterTableCmd,
  ): readonly Loss[] {
    const { made } = this;
    switch (subtype) {
      case 'AT_AddColumn':
        if (def && 'ColumnDef' in def) made.add('column', `${table}.${def.ColumnDef.colname}`, !!missing_ok);
        return [];
      case 'AT_DropColumn': {
        const own = isType ? made.has('type', table) : made.mayDrop('table', table) || made.mayDrop('column', `${table}.${name}`);
        made.forget('column', `${table}.${name}`);
        made.freesTypes = true;
        const what = isType ? `ALTER TYPE ${table} DROP ATTRIBUTE ${name}` : `ALTER TABLE ${table} DROP COLUMN ${name}`;
        return own ? [] : [{ rule: 'drop-column', what }];
      }
      case 'AT_AlterColumnType': {
        made.freesTypes = true;
        const column = def && 'ColumnDef' in def ? def.ColumnDef : undefined;
        if (!column || made.hasColumn(table, name) || !convertsLossily(column, this.before)) return [];
        return [{ rule: 'convert-column', what: `ALTER TABLE ${table} ALTER COLUMN ${name} TYPE` }];
      }
      case 'AT_DetachPartition': {
        const partition = def && 'PartitionCmd' in def ? nameOf(def.PartitionCmd.name) : '';
        return made.has('table', table) || made.has('table', partition)
          ? []
          : [{ rule: 'detach-partition', what: `DETACH PARTITION ${partition} of ${table}` }];
      }
      case 'AT_DropInherit':
        return made.has('table', table) ? [] : [{ rule: 'detach-partition', what: `ALTER TABLE ${table} NO INHERIT` }];
      default:
        return [];
    }
  }

  private dropped({ removeType, objects = [], behavior }: Extract<Node, { DropStmt: unknown }>['DropStmt']): readonly Loss[] {
    const cascade = behavior === 'DROP_CASCADE';
    return objects.flatMap((object): readonly Loss[] => {
      const name =
        'List' in object ? joined(object.List.items) : 'TypeName' in object ? joined(object.TypeName.names) : joined([object]);
      const loss = this.objectLoss(removeType, name, cascade);
      return loss ? [loss] : [];
    });
  }

  private objectLoss(removeType: string | undefined, name: string, cascade: boolean): Loss | undefined {
    const { made } = this;
    switch (removeType) {
      case 'OBJECT_TABLE':
      case 'OBJECT_FOREIGN_TABLE': {
        const own = made.mayDrop('table', name);
        made.forget('table', name);
        made.freesTypes = true;
        return own ? undefined : { rule: 'drop-table', what: `DROP TABLE ${name}` };
      }
      case 'OBJECT_SCHEMA':
        return made.mayDrop('schema', name) ? undefined : { rule: 'drop-schema', what: `DROP SCHEMA ${name}` };
      case 'OBJECT_TYPE':
      case 'OBJECT_DOMAIN': {
        const free = made.freesTypes || (!cascade && made.retired.has(name));
        return made.has('type', name) || free
          ? undefined
          : { rule: 'drop-type', what: `DROP TYPE ${name}${cascade ? ' CASCADE' : ''}` };
      }
      case 'OBJECT_MATVIEW':
        if (made.has('view', name) || (this.created.has(name) && !cascade)) return undefined;
        return { rule: 'drop-materialized-view', what: `DROP MATERIALIZED VIEW ${name}${cascade ? ' CASCADE' : ''}` };
      case 'OBJECT_VIEW':
        return cascade && !made.has('view', name) ? { rule: 'drop-cascade', what: `DROP VIEW ${name} CASCADE` } : undefined;
      case 'OBJECT_EXTENSION':
        return cascade ? { rule: 'drop-cascade', what: `DROP EXTENSION ${name} CASCADE` } : undefined;
      default:
        return undefined;
    }
  }

  /** The statements of a block, as far as they are written there. */
  private block(sql: string): readonly Loss[] {
    let statements: readonly BlockStatement[];
    try {
      statements = blockStatements(sql);
    } catch {
      return [unreadable(sql)];
    }
    return statements.flatMap(({ kind, query }) => this.within(kind === 'statement' ? query : dynamicSql(query), query));
  }

  private within(sql: string | undefined, query: string): readonly Loss[] {
    if (sql === undefined) return [unreadable(`EXECUTE ${query}`)];
    if (this.depth > 4) return [];
    const inner = new Statement(this.made, this.created, undefined, this.depth + 1);
    return statementsOf(sql).flatMap(({ node, text }) => (node ? inner.losses(node, text) : [unreadable(text)]));
  }

  /** What functions do that the revision made itself. What is in the database already can't be read, and a procedure may do anything. */
  private called(json: string, isProcedure: boolean): readonly Loss[] {
    const names = [...json.matchAll(/"(?:FuncCall|funccall)":\{"funcname":(\[(?:\{"String":\{"sval":"[^"]*"\}\},?)+\])/g)];
    return names.flatMap(([, list = '[]']) => {
      const name = joined(JSON.parse(list));
      const body = this.made.functions.get(name);
      if (body === undefined) return isProcedure ? [unreadable(`CALL ${name}`)] : [];
      return this.depth > 4 ? [] : this.body(body);
    });
  }

  private body(create: string): readonly Loss[] {
    const inner = new Statement(this.made, this.created, undefined, this.depth + 1);
    if (/\bLANGUAGE\s+'?plpgsql/i.test(create)) return inner.block(create);
    const node = parseNode(create);
    const options = node && 'CreateFunctionStmt' in node ? (node.CreateFunctionStmt.options ?? []) : [];
    const bodies = options.flatMap((option) =>
      'DefElem' in option && option.DefElem.defname === 'as' ? [option.DefElem.arg] : [],
    );
    return bodies
      .flatMap((arg) => (arg && 'List' in arg ? (arg.List.items ?? []) : []))
      .flatMap((part) => ('String' in part ? inner.within(part.String.sval, '') : []));
  }
}

/** WHERE name IS NOT NULL, where `name` is what is set to nothing. */
function isSetAnyway(where: Node | undefined, column: string): boolean {
  if (!where || !('NullTest' in where) || where.NullTest.nulltesttype !== 'IS_NOT_NULL') return false;
  const { arg } = where.NullTest;
  return !!arg && 'ColumnRef' in arg && joined(arg.ColumnRef.fields).split('.').at(-1) === column;
}

/** The text that EXECUTE gets, with the mark in place of what is not written there; undefined when nothing of it is. */
function dynamicSql(expression: string): string | undefined {
  const node = parseNode(`SELECT ${expression}`);
  const [target] = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  const value = target && 'ResTarget' in target ? target.ResTarget.val : undefined;
  const text = value && textOf(value);
  return text === undefined || text.trim().startsWith(UNKNOWN) ? undefined : text;
}

function textOf(node: Node): string {
  if ('A_Const' in node) return node.A_Const.sval?.sval ?? String(node.A_Const.ival?.ival ?? UNKNOWN);
  if ('TypeCast' in node && node.TypeCast.arg) return textOf(node.TypeCast.arg);
  if ('A_Expr' in node && joined(node.A_Expr.name) === '||' && node.A_Expr.lexpr && node.A_Expr.rexpr) {
    return textOf(node.A_Expr.lexpr) + textOf(node.A_Expr.rexpr);
  }
  if ('FuncCall' in node) {
    const name = joined(node.FuncCall.funcname);
    const [first, ...values] = node.FuncCall.args ?? [];
    if (first && name === 'format') {
      let next = 0;
      return textOf(first).replace(/%(?:(\d+)\$)?([sIL%])/g, (_, position, kind) => {
        if (kind === '%') return '%';
        const given = values[position ? Number(position) - 1 : next++];
        const text = given ? textOf(given) : UNKNOWN;
        return kind === 'L' ? `'${text.replaceAll("'", "''")}'` : text;
      });
    }
    if (first && (name === 'quote_ident' || name === 'concat')) return [first, ...values].map(textOf).join('');
  }
  return UNKNOWN;
}
