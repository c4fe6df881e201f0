import type { Node, SelectStmt } from 'libpg-query';
import { apply, as, nameOf, namesOf, only, queriesOf, type Rules } from '../../sql/nodes';
import { normalized } from '../conditions';
import { isStar, mayOmitRows, recordInsertedRows } from '../copies/inserted-rows';
import { recordLookup } from '../copies/updates';
import { type Loss, lossUnless, unreadableSql } from '../losses';
import type { RevisionState } from '../revision-state';
import { deletedByJoin, deleteLosses, deletesAll, tablesWithKeys, wholeTableCtes } from './deleted-rows';
import { hasRowFilter, joinsTables, listsValues, selectsByValue, selfJoinNames } from './selected-rows';
import { aggregatedColumns, updateLosses } from './updated-rows';

/**
 * The losses of a statement that reads or writes rows, including its CTEs.
 *
 * @param mayLackCondition whether an unknown part of its text may be a condition
 */
export function rowLosses(node: Node, state: RevisionState, mayLackCondition: boolean): readonly Loss[] {
  const found = [
    ...cteLosses(clauseOf(node), state, mayLackCondition, archivedCte(node, state)),
    ...(apply(ROW_RULES, node, state) ?? []),
  ];
  return mayLackCondition ? found.map((loss) => (loss.rule === 'delete-by-query' ? loss : unreadableSql(loss.what))) : found;
}

const ROW_RULES: Rules<readonly Loss[], [state: RevisionState]> = {
  DeleteStmt: ({ relation, whereClause, usingClause = [], withClause }, state) => {
    const table = nameOf(relation);
    state.copies.invalidate(table);
    if (state.isNew('table', table) || state.isVerifiedEmpty(table) || /^pg_(?!largeobject)/.test(table)) return [];
    const names = namesOf(relation);
    const whole = [...wholeTableCtes(withClause, table), ...usingClause.flatMap((from) => selfJoinNames(from, table))];
    const [loss] = deleteLosses([...names, ...whole], whereClause, relation?.alias?.aliasname, state);
    if (!loss && selectsByValue(whereClause)) return [];
    const deleted = deletedByJoin(relation && { RangeVar: relation }, usingClause, whereClause, names);
    const isKept = state.copies.claimRowCopy(
      table,
      [normalized(whereClause, names), ...deleted],
      tablesWithKeys(whereClause, names),
    );
    const some: Loss = { rule: 'delete-by-query', what: `DELETE of some rows of ${table}`, of: { kind: 'rows', name: table } };
    return lossUnless(isKept, loss ?? some, state);
  },
  UpdateStmt: ({ relation, whereClause, fromClause = [], targetList = [], withClause }, state) => {
    const own = namesOf(relation);
    const names = [...own, ...fromClause.flatMap((from) => selfJoinNames(from, nameOf(relation)))];
    const isJoin = joinsTables(whereClause, names) && !hasRowFilter({ fromClause, withClause });
    const aggregated = aggregatedColumns({ fromClause, withClause });
    const losses = updateLosses({ own, names, where: whereClause, isJoin, aggregated }, targetList, state);
    for (const { name = '', val } of withClause ? [] : only(targetList, 'ResTarget'))
      recordLookup({ name, val }, { names: own, from: fromClause, where: whereClause }, state);
    return losses;
  },
  MergeStmt: ({ relation, sourceRelation, joinCondition, mergeWhenClauses, withClause }, state) => {
    const own = namesOf(relation);
    const table = nameOf(relation);
    const parts = only(mergeWhenClauses, 'MergeWhenClause');
    const isOfKnownRows = listsValues(sourceRelation);
    const deletes = parts.filter(({ commandType, matchKind }) => {
      return commandType === 'CMD_DELETE' && !(isOfKnownRows && matchKind === 'MERGE_WHEN_MATCHED');
    });
    const isDelete = deletes.length > 0 && !state.isNew('table', table);
    const updates = hasRowFilter({ sourceRelation, withClause })
      ? []
      : parts.filter(({ commandType, condition }) => commandType === 'CMD_UPDATE' && !condition);
    return [
      ...(isDelete ? [deletesAll(table, `MERGE INTO ${table} ... DELETE`)] : []),
      ...updates.flatMap(({ targetList }) =>
        updateLosses({ own, names: own, where: joinCondition, isJoin: true }, targetList ?? [], state),
      ),
    ];
  },
  InsertStmt: ({ relation, cols, selectStmt, onConflictClause, withClause }, state) => {
    const own = namesOf(relation);
    const select = as(selectStmt, 'SelectStmt');
    const columns = only(cols, 'ResTarget').map(({ name = '' }) => name);
    if (select && !withClause) recordInsertedRows({ into: relation, columns, mayOmitRows: !!onConflictClause }, select, state);
    const isWhole = select?.fromClause && !hasRowFilter(select) && !onConflictClause?.whereClause;
    const targets = isWhole ? (onConflictClause?.targetList ?? []) : [];
    return [
      ...(selectStmt ? rowLosses(selectStmt, state, false) : []),
      ...updateLosses({ own, names: own, where: undefined, isJoin: false }, targets, state),
    ];
  },
  SelectStmt: ({ intoClause, larg, rarg }, state) => {
    if (intoClause?.rel) state.add('table', nameOf(intoClause.rel));
    return [larg, rarg].flatMap((side) => (side ? rowLosses({ SelectStmt: side }, state, false) : []));
  },
};

function clauseOf(node: Node): SelectStmt['withClause'] {
  const [statement] = Object.values(node) as readonly { readonly withClause?: SelectStmt['withClause'] }[];
  return statement?.withClause;
}

function cteLosses(
  clause: SelectStmt['withClause'],
  state: RevisionState,
  mayLackCondition: boolean,
  moved: string | undefined,
): readonly Loss[] {
  const queries = queriesOf(clause).filter(({ name }) => name !== moved);
  return queries.flatMap(({ query }) => rowLosses(query, state, mayLackCondition));
}

/** The CTE whose deleted rows an INSERT writes to another table: `WITH old AS (DELETE ... RETURNING *) INSERT INTO archive SELECT * FROM old`. */
function archivedCte(node: Node, state: RevisionState): string | undefined {
  const { relation, selectStmt, onConflictClause, withClause } = as(node, 'InsertStmt') ?? {};
  const select = as(selectStmt, 'SelectStmt');
  const [from, ...more] = select?.fromClause ?? [];
  const source = as(from, 'RangeVar');
  if (!select || !source || more.length || onConflictClause || mayOmitRows(select) || select.whereClause) return undefined;
  const name = nameOf(source);
  const query = only(withClause?.ctes, 'CommonTableExpr').find(({ ctename }) => ctename === name)?.ctequery;
  const deleted = as(query, 'DeleteStmt');
  if (!deleted || state.temporaryTables.has(nameOf(relation))) return undefined;
  const isAll = returnsStar(select.targetList, name) && returnsStar(deleted.returningClause?.exprs, nameOf(deleted.relation));
  if (!isAll) return undefined;
  state.copies.markOnlyCopy(nameOf(relation));
  return name;
}

function returnsStar(targets: readonly Node[] | undefined, table: string): boolean {
  return only(targets, 'ResTarget').some(({ val }) => isStar(val, [table]));
}
