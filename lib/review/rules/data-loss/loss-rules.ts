import type { DataLossRule } from '../../../contract';
import { type SourceFacts, UNKNOWN_VALUE } from '../../../contract/facts';
import type { DestroyedData } from '../../../data-loss/find-losses';
import type { LostObject } from '../../../data-loss/losses';
import { isBatchTemporaryTable } from '../../../data-loss/revision-state';
import { fillColumn, withImports } from '../../advice/batch-loop';
import { autocommit, execute, literal, tableArguments } from '../../advice/python';
import { quoted, quotedTable } from '../../advice/sql';
import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import { isEnumSwapLeftover } from '../../revision/created-objects';
import { unqualifiedName } from '../../revision/tables';
import type { ActionOf } from '../../sql/action';
import { lockEnd } from '../locking/locks';
import type { Rule, RuleFinding } from '../rule';

interface Loss {
  readonly step: Step;
  readonly of: Lost;
  /** Why nothing is lost, although the deploy's guard stops there. Absent if something is lost. */
  readonly harmless?: string;
  /** The message if the upgrade keeps a copy. Absent: then there is no finding. */
  readonly stillUsed?: string;
  readonly message: string;
  readonly instead?: string;
  /** Set if it is unknown whether something is lost. */
  readonly atMost?: 'warning';
}

/** The object, or the column of one, by which the guard's finding for the same statement is recognized. */
type Lost = Pick<LostObject, 'name' | 'column'>;

const CREATED_BY_CHANGE = 'this change created it';
const EMPTIED_BY_UPGRADE = 'the upgrade has emptied the table before';

const ACTION_OF_RULE: Partial<Record<DataLossRule, Step['action']['does']>> = {
  'clear-column': 'update',
  'convert-column': 'change type',
};

/** A rule that reports a loss once, whether the deploy's guard finds it in the source, the rule finds it in the statements, or both do. */
function lossRule(id: DataLossRule, title: string, losses: (revision: AnalyzedRevision) => Iterable<Loss>): Rule {
  return {
    id,
    group: 'data loss',
    severity: 'error',
    title,
    *check(revision) {
      const guarded = revision.losses.filter(({ rule }) => rule === id);
      const reported = new Set<(typeof guarded)[number]>();
      for (const loss of losses(revision)) {
        const here = guarded.filter(({ line, of }) => line === loss.step.line || isSameObject(of, loss.of));
        const [first] = here.filter((place) => !reported.has(place));
        for (const place of here) reported.add(place);
        const isKept = !here.length && revision.avoidedLosses.some((one) => one.rule === id && isSameObject(one.of, loss.of));
        yield* lossFindings(loss, isKept, first?.line);
      }
      for (const lost of guarded.filter((place) => !reported.has(place))) {
        const { line } = lost;
        // Attach the statement, so that it gets one error only.
        const own = revision.upgrade.steps.filter(({ action }) => action.does === ACTION_OF_RULE[id]);
        const onLine = own.filter((step) => step.line === line);
        // The text may be written on another line than the one that runs it.
        const here = onLine.length ? onLine : own.filter(({ action }) => updates(action, lost));
        const place = here.length === 1 ? here[0]?.place : undefined;
        yield { ...(place ?? { line, direction: 'upgrade', seen: 'source' }), ...guardFinding(lost, revision) };
      }
    },
  };
}

/** Whether an action is the UPDATE of a guard's finding. */
function updates(action: Step['action'], { of }: DestroyedData): boolean {
  return action.does === 'update' && action.columns.some((column) => isSameObject(of, { name: action.table, column }));
}

/** The message about a loss that only the guard has found. */
function guardFinding(
  { rule, what, of, readBefore, onFailure }: DestroyedData,
  { isMissing, mayBeKept, upgrade }: AnalyzedRevision,
): Pick<RuleFinding, 'message' | 'atMost' | 'instead'> {
  const kept = mayBeKept.get(`${of?.name}.${of?.column}`);
  const isUnknown = kept !== undefined || readBefore;
  const unknown = `${what}: ${kept ?? 'whether it keeps all of it was not judged'}`;
  const message = isUnknown ? unknown : `${what} ${EFFECTS[rule] ?? 'destroys data when it runs'}`;
  if (onFailure)
    return { atMost: 'warning', message: `${what} runs only after a statement has failed, in an aborted transaction` };
  if (of && isMissing(of))
    return { atMost: 'warning', message: `no earlier revision creates this; if production has it: ${message}` };
  const instead = rule === 'clear-column' && of ? keptValues(of, upgrade) : undefined;
  return { message, instead, ...(isUnknown ? { atMost: 'warning' } : {}) };
}

const EFFECTS: Partial<Record<DataLossRule, string>> = {
  'clear-column': 'loses the values that the column has now',
  // DETACH PARTITION has a message of its own.
  'detach-partition': 'takes its rows out of queries of the parent, and they stay in the table itself',
  'drop-materialized-view': 'removes its stored rows: queries of it fail until it is built again from its tables',
};

/** Keeps the values of a column that an UPDATE overwrites. */
function keptValues({ name, column = '' }: LostObject, { findTable }: RevisionFunction): string | undefined {
  const facts = findTable(name);
  const type = facts?.columns.find((one) => one.name === column)?.type;
  if (type === undefined) return undefined;
  const [from, kept] = [quoted(column), quoted(`${column}_before`)];
  return [
    '# in earlier revisions, keep the values until nobody needs them:',
    execute(`ALTER TABLE ${quotedTable(name)} ADD COLUMN ${kept} ${type}`),
    withImports(fillColumn(name, `${column}_before`, from, facts)),
    `# then, in this one: # cdk-alembic: allow clear-column: ${column}_before has the values`,
  ].join('\n');
}

/**
 * @param isKept whether the guard found that the upgrade keeps the data
 * @param stop the line where the guard stops, unless another loss has reported it
 */
function* lossFindings(
  { step, harmless, stillUsed, message, instead, atMost }: Loss,
  isKept: boolean,
  stop?: number,
): Iterable<RuleFinding> {
  if (harmless === undefined) {
    if (!isKept) yield { ...step.place, message, instead, ...(atMost ? { atMost } : {}) };
    else if (stillUsed !== undefined) yield { ...step.place, atMost: 'warning', message: stillUsed, instead };
  } else if (stop !== undefined) {
    const stopped = `nothing is lost, because ${harmless}, but the deploy's guard stops here until you acknowledge it`;
    yield { ...step.place, line: stop, atMost: 'warning', message: stopped };
  }
}

/** Whether both are the same object. A statement may leave out the schema, or take it, or a column's table, from a variable. */
function isSameObject(one: LostObject | undefined, { name, column }: Lost): boolean {
  if (one === undefined || one.column !== column) return false;
  const names = [one.name, name];
  const [own, other] = names.map(unqualifiedName);
  if (own !== other) return column !== undefined && names.includes(UNKNOWN_VALUE);
  const schemas = names.map((full) => full.slice(0, Math.max(0, full.lastIndexOf('.'))));
  return new Set(schemas).size === 1 || schemas.some((schema) => schema === '' || schema.includes(UNKNOWN_VALUE));
}

function inLaterRelease(rule: DataLossRule, what: string, code: string): string {
  return [
    `# first release code that neither reads nor writes ${what}; then, in a separate revision:`,
    `# cdk-alembic: allow ${rule}: <why nobody needs it anymore>`,
    code,
  ].join('\n');
}

/** A table that the replay does not have may be missing because an earlier revision failed in it. */
function lostTable(
  { isNewTable, isExisting, index }: Step,
  name: string,
  message: string,
  { existed, upgrade }: AnalyzedRevision,
): Pick<Loss, 'harmless' | 'message' | 'atMost'> {
  if (isNewTable(name)) return { harmless: CREATED_BY_CHANGE, message };
  const drop = upgrade.steps.find(
    (later) =>
      later.index > index && later.action.does === 'drop' && later.action.what === 'table' && later.action.names.includes(name),
  );
  if (drop) return { message: `the rows of ${name} are lost anyway: line ${drop.line} drops the table`, atMost: 'warning' };
  const isThere = isExisting(name) || existed(`table ${unqualifiedName(name)}`);
  if (isThere) return { message };
  const isMissing = isThere === undefined && upgrade.replayed;
  const unknown = isMissing ? 'the replay does not have' : 'no earlier revision creates';
  return {
    message: `${unknown} ${name}; if production has it: ${message}`,
    ...(isThere === undefined ? {} : { atMost: 'warning' }),
  };
}

export const dropTable = lossRule('drop-table', 'a table is dropped', function* (revision) {
  const { upgrade, readByPython, mayBeKept } = revision;
  for (const step of upgrade.steps) {
    if (step.action.does !== 'drop' || step.action.what !== 'table') continue;
    for (const name of step.action.names) {
      if (isBatchTemporaryTable(name)) continue;
      const { table, schema } = tableArguments(name);
      const isRead = [...readByPython].some((column) => column.startsWith(`${name}.`));
      const uses = usesOfDropped(step, name, upgrade);
      const kept = mayBeKept.get(name);
      yield {
        step,
        of: { name },
        ...(isRead || kept !== undefined ? { atMost: 'warning' } : {}),
        stillUsed: `${name} is dropped: ${fateOfKeptRows(step, name, upgrade)}, and ${uses}`,
        ...lostTable(
          step,
          name,
          isRead
            ? `${name} is dropped after Python has read rows of it: whether it keeps all of them elsewhere was not judged; ${uses}`
            : kept !== undefined
              ? `${name} is dropped: ${kept}, and ${uses}`
              : `${name} is dropped with all its rows: ${fateOfRows(step, name, upgrade)}, and ${uses}`,
          revision,
        ),
        instead: inLaterRelease('drop-table', name, `op.drop_table(${table}${schema})`),
      };
    }
  }
});

/** What happens to running code that uses a table: another one, such as its copy, may get its name. */
function usesOfDropped(step: Step, name: string, { steps }: RevisionFunction): string {
  const later = steps.flatMap(({ action, index }) => (index > step.index ? [action] : []));
  if (later.some((action) => action.does === 'rename' && action.what === 'table' && action.to === name)) {
    return `reads and writes of it wait until ${lockEnd(step)}`;
  }
  if (later.some((action) => action.does === 'create table' && action.table === name)) {
    return 'running code finds another table of its name';
  }
  return 'running code that uses it fails immediately';
}

/** What happens to running code that uses a column: another one may get its name. */
function usesOfDroppedColumn(step: Step, table: string, column: string, { steps }: RevisionFunction): string {
  const isReplaced = steps.some(
    ({ action, index }) =>
      index > step.index &&
      'table' in action &&
      action.table === table &&
      ((action.does === 'add column' && action.column.name === column) ||
        (action.does === 'rename' && action.what === 'column' && action.to === column)),
  );
  return isReplaced ? 'running code finds another column of its name' : 'running code that reads or writes it fails immediately';
}

function fateOfKeptRows(step: Step, name: string, upgrade: RevisionFunction): string {
  const lost = fateOfRows(step, name, upgrade);
  return lost === 'they are lost' ? 'the upgrade keeps or checks what it held' : lost;
}

function fateOfRows(step: Step, name: string, { steps }: RevisionFunction): string {
  const copy = steps.find(({ action, index }) => index < step.index && action.does === 'copy rows' && action.from.includes(name));
  if (copy?.action.does !== 'copy rows') return 'they are lost';
  return `those that its copy ${copy.action.into} does not have are lost, such as what running code writes meanwhile`;
}

export const dropColumn = lossRule(
  'drop-column',
  'a column is dropped',
  function* ({ upgrade, readByPython: derived, mayBeKept }) {
    for (const step of upgrade.steps) {
      if (step.action.does !== 'drop column') continue;
      const { table: name, column } = step.action;
      const { table, schema } = tableArguments(name);
      const isDerived = derived.has(`${name}.${column}`) || derived.has(`${name}.*`);
      const isEmptied = whyEmpty(step, name) !== undefined;
      const uses = usesOfDroppedColumn(step, name, column, upgrade);
      const kept = mayBeKept.get(`${name}.${column}`);
      yield {
        step,
        of: { name, column },
        ...(isDerived || isEmptied || kept !== undefined ? { atMost: 'warning' } : {}),
        ...(step.isNewTable(name) || step.isNewColumn(name, column) ? { harmless: CREATED_BY_CHANGE } : {}),
        stillUsed: `${name}.${column} is dropped: the upgrade keeps its values, but ${uses}`,
        message: isEmptied
          ? `${name}.${column} is dropped: the upgrade has emptied ${name} before, but ${uses}`
          : isDerived
            ? `${name}.${column} is dropped after Python has read its values: whether it keeps all of them elsewhere was not judged; ${uses}`
            : `${name}.${column} is dropped: ${kept ?? 'its values are lost'}, and ${uses}`,
        instead: inLaterRelease('drop-column', `${name}.${column}`, `op.drop_column(${table}, ${literal(column)}${schema})`),
      };
    }
  },
);

export const dropSchema = lossRule('drop-schema', 'a schema is dropped', ({ upgrade }) => dropLosses(upgrade.steps, 'schema'));

export const dropType = lossRule('drop-type', 'a type is dropped', ({ upgrade }) => dropLosses(upgrade.steps, 'type'));

function* dropLosses(steps: readonly Step[], what: 'schema' | 'type'): Iterable<Loss> {
  const created = new Set<string>();
  for (const step of steps) {
    const { action } = step;
    if (action.does === 'create type') created.add(action.type);
    if (action.does === 'create schema') created.add(action.schema);
    if (action.does !== 'drop' || action.what !== what) continue;
    for (const name of action.names) {
      const harmless = created.has(name) ? CREATED_BY_CHANGE : whyHarmless(name, step, action, steps);
      yield {
        step,
        of: { name },
        ...(harmless === undefined ? {} : { harmless }),
        message:
          what === 'schema'
            ? `the schema ${name} is dropped: with CASCADE everything in it is lost, and running code that uses it fails`
            : `the type ${name} is dropped: with CASCADE its columns are lost, and running code that casts to it fails`,
        instead: inLaterRelease(`drop-${what}`, name, execute(`DROP ${what.toUpperCase()} ${quotedTable(name)}`)),
      };
    }
  }
}

function whyHarmless(
  name: string,
  { sql, index }: Step,
  { what, cascade }: ActionOf<'drop'>,
  steps: readonly Step[],
): string | undefined {
  if (what === 'type' && !cascade && sql) return 'PostgreSQL refuses to drop a type that a column still uses';
  return isEnumSwapLeftover(name, steps, index) ? 'its columns have another type' : undefined;
}

export const truncate = lossRule('truncate', 'a table is emptied by TRUNCATE', function* (revision) {
  for (const step of revision.upgrade.steps) {
    if (step.action.does !== 'truncate') continue;
    for (const name of step.action.tables) {
      yield {
        step,
        of: { name },
        ...(mayBeMovedByPython(name, revision) ? { atMost: 'warning' } : {}),
        ...lostTable(
          step,
          name,
          `TRUNCATE loses all rows of ${name}, and its ACCESS EXCLUSIVE lock makes reads and writes wait until ${lockEnd(step)}`,
          revision,
        ),
        instead: inLaterRelease('truncate', `the rows of ${name}`, execute(`TRUNCATE ${quotedTable(name)}`)),
      };
    }
  }
});

export const deleteAll = lossRule('delete-all', 'a DELETE without WHERE', function* (revision) {
  for (const step of revision.upgrade.steps) {
    if (step.action.does !== 'delete' || step.action.rows !== 'all') continue;
    const name = step.action.table;
    const isMoved = mayBeMovedByPython(name, revision);
    yield {
      step,
      of: { name },
      ...(isMoved ? { atMost: 'warning' } : {}),
      ...lostTable(
        step,
        name,
        isMoved
          ? `DELETE without WHERE loses all rows of ${name} after Python has read them: whether it keeps all of them elsewhere was not judged`
          : `DELETE without WHERE loses all rows of ${name}, and locks each of them until ${lockEnd(step)}`,
        revision,
      ),
      instead: inLaterRelease('delete-all', `the rows of ${name}`, execute(`DELETE FROM ${quotedTable(name)}`)),
    };
  }
});

/** Whether Python reads rows of a table, and rows are inserted into another one. */
function mayBeMovedByPython(table: string, { readByPython, upgrade }: AnalyzedRevision): boolean {
  const isRead = [...readByPython].some((column) => column.startsWith(`${table}.`));
  return isRead && upgrade.steps.some(({ action }) => action.does === 'insert' && action.table !== table);
}

export const deleteByQuery = lossRule('delete-by-query', 'a DELETE of some rows', function* (revision) {
  for (const step of revision.upgrade.steps) {
    if (step.action.does !== 'delete' || step.action.rows === 'all') continue;
    const loss = deletedRows(step, step.action, revision);
    if (loss) yield loss;
  }
});

function deletedRows(
  step: Step,
  { table, by, ...action }: ActionOf<'update' | 'delete'>,
  revision: AnalyzedRevision,
): Loss | undefined {
  const { upgrade, losses: destroys, avoidedLosses } = revision;
  // The guard knows which rows the upgrade has inserted or copied.
  if (!by && !destroys.some(({ rule, line }) => rule === 'delete-by-query' && line === step.line)) {
    const isKept = avoidedLosses.some(({ of }) => isSameObject(of, { name: table })) || movesRows(table, revision);
    return action.isShared && step.isExisting(table) && !isKept ? namedRowsLoss(step, table) : undefined;
  }
  if (action.byComputedKey && !deletesInLoop(upgrade)) return namedRowsLoss(step, table, 'the row');
  const found = by && `the rows of ${table} that ${by === 'query' ? 'a query finds' : 'are old enough when it runs'}`;
  return {
    step,
    of: { name: table },
    ...lostTable(
      step,
      table,
      `DELETE loses ${found ?? `some rows of ${table}`}: how many is known only in production, each stays locked until the ` +
        'revision commits, and no downgrade brings them back',
      revision,
    ),
    instead: `# first count in production what it finds: SELECT count(*) FROM ${quotedTable(table)} ... with the same condition\n# delete many rows in batches, in a separate revision`,
  };
}

/** The loss of rows by values that many may share: the deploy's guard does not stop, because the author has named them. */
function namedRowsLoss(step: Step, table: string, what = 'the rows'): Loss {
  return {
    step,
    of: { name: table },
    atMost: 'warning',
    message: `DELETE loses ${what} of ${table} that its condition names, and no downgrade brings them back`,
    instead: `# insert them again in downgrade(), or first count in production what it finds: SELECT count(*) FROM ${quotedTable(table)} ... with the same condition`,
  };
}

/** Whether the upgrade may delete once for each row that it has read. */
function deletesInLoop({ source }: RevisionFunction): boolean {
  return (source?.calls ?? []).some(
    ({ name, inLoop, overConstants }) => inLoop && !overConstants && /(?:^|[._])(?:execute|exec_driver_sql|delete)$/.test(name),
  );
}

/** Whether a change inserts rows of a table, or copies them elsewhere. */
function movesRows(table: string, { upgrade, downgrade }: AnalyzedRevision): boolean {
  return [...upgrade.steps, ...downgrade.steps].some(
    ({ action }) =>
      (action.does === 'insert' && action.table === table) ||
      (action.does === 'copy rows' && (action.into === table || action.from.includes(table))),
  );
}

/** https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION */
export const detachPartition = lossRule('detach-partition', 'a partition is detached from its table', function* ({ upgrade }) {
  for (const step of upgrade.steps) {
    const { action } = step;
    if (action.does !== 'detach partition') continue;
    const { table, partition, concurrently } = action;
    const detach = `ALTER TABLE ${quotedTable(table)} DETACH PARTITION ${quotedTable(partition)} CONCURRENTLY`;
    yield {
      step,
      of: { name: partition },
      ...(concurrently ? { harmless: `the rows stay in ${partition} and nothing waits` } : {}),
      message:
        `DETACH PARTITION takes an ACCESS EXCLUSIVE lock on ${table}: reads and writes of all its partitions wait, ` +
        `and its queries then no longer find the rows of ${partition}`,
      instead: autocommit(execute(detach)),
    };
  }
});

/** Rules whose losses only the guard finds. */
export const guardOnlyRules: readonly Rule[] = (
  [
    ['drop-sequence', 'a sequence is dropped with the number that it has reached'],
    ['drop-materialized-view', 'a materialized view is dropped or emptied'],
    ['drop-cascade', 'a view or an extension is dropped with everything that depends on it'],
    ['drop-owned', 'everything that a role owns is dropped'],
  ] as const
).map(([id, title]) => lossRule(id, title, () => []));

/** The guard only knows what the revision itself has created; the review also knows the rest of the change. */
export const clearColumn = lossRule('clear-column', 'an UPDATE destroys the values of a whole column', function* ({ upgrade }) {
  for (const step of upgrade.steps) {
    const { action, isNewTable, isNewColumn } = step;
    if (action.does !== 'update') continue;
    const { table, columns } = action;
    const isOwn = isNewTable(table) || columns.every((column) => isNewColumn(table, column));
    const harmless = isOwn ? CREATED_BY_CHANGE : whyEmpty(step, table);
    for (const column of harmless ? columns : []) yield { step, of: { name: table, column }, harmless, message: '' };
  }
});

/** The guard does not follow which tables are empty. */
export const convertColumn = lossRule('convert-column', 'a conversion loses a part of each value', function* ({ upgrade }) {
  for (const step of upgrade.steps) {
    const { action } = step;
    const harmless = action.does === 'change type' ? whyEmpty(step, action.table) : undefined;
    if (action.does === 'change type' && harmless)
      yield { step, of: { name: action.table, column: action.column }, harmless, message: '' };
  }
});

function whyEmpty({ isExisting, holdsRows }: Step, table: string): string | undefined {
  return isExisting(table) && !holdsRows(table) ? EMPTIED_BY_UPGRADE : undefined;
}

export const unreadSql: Rule = {
  id: 'unread-sql',
  group: 'data loss',
  severity: 'warning',
  title: "the upgrade runs SQL that can't be read",
  *check({ losses: destroys, facts, upgrade }) {
    for (const { rule, what, line } of destroys) {
      if (rule !== 'unread-sql') continue;
      const message = `the upgrade ${what}: the guard of a deploy can't tell whether data is lost`;
      yield { line, direction: 'upgrade', seen: 'source', message };
    }
    for (const [name, line] of upgrade.replayed ? [] : callsOfMissing(facts.source)) {
      const message = `${name} comes from a module that is not installed here: what it does to the database was not judged`;
      yield { line, direction: 'upgrade', seen: 'source', message };
    }
  },
};

/** Functions of modules that are not installed and that the upgrade calls for their effect, each with the line of the first call. */
function callsOfMissing({ imports, upgrade }: SourceFacts): readonly (readonly [name: string, line: number])[] {
  const missing = imports.flatMap(({ module, isMissing }) => (isMissing ? `${module}.` : []));
  const called = (upgrade?.calls ?? [])
    .filter((call) => (call.isAlone || CONNECTION.test(JSON.stringify(call.args))) && !HARMLESS_CALLS.test(call.name))
    .map(({ name, line }) => [name.replace(/\(.*/s, ''), line] as const)
    .filter(([name]) => missing.some((module) => name.startsWith(module)));
  return called.filter(([name], at) => called.findIndex(([other]) => other === name) === at);
}

const CONNECTION = /"code":"(?:op|bind|conn|connection|session|(?:op|context)\.get_bind\(\))"/;

/** Calls that only log, or that end a transaction, which bind-commit reports. */
const HARMLESS_CALLS = /\b(?:log|logger|logging|console)\b|\b(?:print|warn|flush|commit|rollback|close)$/i;
