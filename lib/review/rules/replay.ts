import type { RevisionFacts, StatementFailure } from '../../contract/facts';
import { callWith, execute, literal } from '../advice/python';
import { quotedTable } from '../advice/sql';
import type { AnalyzedRevision } from '../revision/analyzed-revision';
import type { Change } from '../revision/change';
import { startingPoint, TOO_EARLY } from '../revision/starting-point';
import { unqualifiedName } from '../revision/tables';
import { refusedStatement } from '../sql/concurrently';
import { comparesTypes, portedForm } from '../sql/other-databases';
import type { Rule, RuleFinding } from './rule';

/** A statement after one whose error the revision caught. */
const IN_FAILED_TRANSACTION = '25P02';
/** The starting point lacks an object, or already has it: in many projects no migration creates the base tables. */
const WRONG_STARTING_POINT = ['42P01', '42703', '42704', '42883', '3F000', '42P07', '42701', '42710', '42P06'];
/** A row is missing that an earlier revision, the application or a person has inserted in production. */
const FOREIGN_KEY_VIOLATION = '23503';
/** A column has another type if a revision before could not be applied. */
const DATATYPE_MISMATCH = '42804';
/** A row, a key, an object's kind or its dependents are other ones if a revision before could not be applied. */
const DEPENDS_ON_EARLIER = /^(?:23|2BP01|42809|42830|42P10)/;
const DEFINES_COLUMN = /^\s*CREATE\b.*?\bTABLE\b|\bADD\s+COLUMN\b/is;
/** The scratch server lacks an extension's files, or its role lacks a privilege. */
const MISSING_ON_SERVER = ['58P01', '42501'];
/** Also the code for what no server supports, such as changing the type of a column that a view uses. */
const UNSUPPORTED = '0A000';
/** RAISE EXCEPTION in PL/pgSQL. */
const RAISED = 'P0001';
/** Nobody else has locks in the scratch database. */
const LOCK_TIMEOUT = '55P03';
/** A service is missing, as in a build without network. */
const OUTSIDE = /^(?:\w*Connect\w*Error|\w*(?:URL|HTTP|Network|Credentials)Error|\w*Timeout(?:Error)?|gaierror)\b/;
/** Python reads a text in a format, such as a date or JSON, that the texts of sample rows do not have. */
const OTHER_FORMAT = /^(?:ValueError(?!: (?:not enough|too many) values)|JSONDecodeError|InvalidOperation)\b/;
const MISSING_EXTENSION = /extension|not supported by this build|not enabled/;

export const upgradeFails: Rule = {
  id: 'upgrade-fails',
  group: 'transactions',
  severity: 'error',
  title: 'the upgrade fails',
  *check(revision, change) {
    yield* failsOnEmptyTables(revision, change);
    yield* failsOnRows(revision);
  },
};

function* failsOnEmptyTables(revision: AnalyzedRevision, change: Change): Iterable<RuleFinding> {
  const { upgrade } = revision;
  const { unapplied } = revision.facts;
  const { outcome, failure, statements } = upgrade.facts;
  if (outcome !== 'failed' || isReportedElsewhere(failure)) return;
  if (mayStemFromUnapplied(revision.facts, failure)) return;
  const type = unapplied ? undefined : typeToCreate(failure, revision);
  const { certain, hint } = assessFailure(
    failure,
    unapplied ? undefined : (type?.why ?? createdLater(failure, revision, change)),
  );
  const asks = !!failure?.ownRaise && statements.some(({ sql }) => /^\s*(?:SELECT|WITH)\b/i.test(sql));
  const why = asks ? '; the revision itself stops here, after it looked for rows that this database may lack' : hint;
  yield {
    line: failure?.line ?? upgrade.source?.line ?? 1,
    direction: 'upgrade',
    seen: 'replay',
    statement: failure?.statement,
    ...(certain && !asks ? {} : { atMost: 'warning' as const }),
    message: `the upgrade fails on the scratch database: ${failure?.message ?? 'without a message'}${why}`,
    ...(type && { instead: type.instead }),
  };
}

/** The enum of a new column whose type nothing creates: Alembic does so only with a table. */
function typeToCreate(failure: StatementFailure | undefined, { upgrade }: AnalyzedRevision) {
  const [, name] = /^type "(?:\w+\.)?(\w+)" does not exist/.exec(failure?.message ?? '') ?? [];
  if (name === undefined || !/\bADD COLUMN\b/i.test(failure?.statement ?? '')) return undefined;
  const type = upgrade.source?.calls.find((call) => /\benum$/i.test(call.name) && call.keywords.name === name);
  return (
    type && {
      why: 'op.add_column creates no type',
      instead: [
        `${callWith(type, {})}.create(op.get_bind())`,
        '# then add the column; in downgrade(), after it is dropped:',
        `${type.name}(name=${literal(name)}).drop(op.get_bind())`,
      ].join('\n'),
    }
  );
}

/** Whether another rule reports the failure: concurrently-in-transaction, enum-value-in-transaction. */
function isReportedElsewhere(failure: StatementFailure | undefined): boolean {
  return (
    (failure?.sqlState === '25001' && refusedStatement(failure.statement ?? '') !== undefined) || failure?.sqlState === '55P04'
  );
}

function* failsOnRows({ facts: { rows, source }, upgrade }: AnalyzedRevision): Iterable<RuleFinding> {
  const failure = rows?.upgradeFailure;
  // An exception that the revision itself raises is intended.
  if (upgrade.facts.outcome !== 'done' || !failure || isIntended(failure) || /^23/.test(failure.sqlState ?? '')) return;
  if (isNamedByRow(failure, source) || isOfSampleText(failure)) return;
  yield {
    line: failure.line ?? upgrade.source?.line ?? 1,
    direction: 'upgrade',
    seen: 'replay',
    statement: failure.statement,
    atMost: 'warning',
    message: `the upgrade fails if the tables have rows: ${failure.message}`,
  };
}

/** Whether the revision itself raises: in Python, or in a DO block. */
function isIntended({ ownRaise, sqlState, statement = '' }: StatementFailure): boolean {
  return !!ownRaise || (sqlState === RAISED && /^\s*DO\b/i.test(statement));
}

/** Whether the missing object has a name that only a sample row has: `CREATE TABLE "{tenant.schema}".log`. */
function isNamedByRow({ sqlState = '', message }: StatementFailure, { upgrade }: RevisionFacts['source']): boolean {
  const written = JSON.stringify([upgrade?.calls, upgrade?.sql]);
  const [, name = ''] = /"([^"]+)"/.exec(message) ?? [];
  return WRONG_STARTING_POINT.includes(sqlState) && name.split('.').some((part) => !written.includes(part));
}

/** Whether the code rejects a sample row's text, which production's rows may not have. */
export function isOfSampleText({ message }: StatementFailure): boolean {
  return OTHER_FORMAT.test(message);
}

/** Whether a failure may be caused by earlier revisions that could not be applied: one may create the missing object, or change a type. */
export function mayStemFromUnapplied({ unapplied }: RevisionFacts, failure: StatementFailure | undefined): boolean {
  if (unapplied === undefined || failure === undefined) return false;
  return DEPENDS_ON_EARLIER.test(failure.sqlState ?? '') || dependsOnTypes(failure) || !assessFailure(failure).certain;
}

/** Whether a failure depends on the type of a column that was there before. */
function dependsOnTypes({ sqlState, message, statement = '' }: StatementFailure): boolean {
  if (sqlState === DATATYPE_MISMATCH) return !(/default expression/.test(message) && DEFINES_COLUMN.test(statement));
  return comparesTypes(message);
}

/** How to start where production is, if it differs. */
function otherStart(failure: StatementFailure): string {
  const start = startingPoint(failure);
  const state = TOO_EARLY.includes(failure.sqlState ?? '') ? 'does not have it yet' : 'has it';
  return start ? `; if production ${state}, ${start}` : '';
}

/** Whether the statement certainly fails in production too, and a hint for the message. @param later where the missing table is created */
function assessFailure(failure: StatementFailure | undefined, later?: string): { certain: boolean; hint: string } {
  const { sqlState = '', message = '', waited } = failure ?? {};
  const correction = later ?? (failure && portedForm(failure));
  if (correction !== undefined) return { certain: true, hint: `; ${correction}` };
  if (sqlState === IN_FAILED_TRANSACTION) {
    return { certain: false, hint: ': a statement before it failed, and the revision caught the error' };
  }
  if (sqlState === LOCK_TIMEOUT) {
    return {
      certain: true,
      hint: '; the revision waits for itself: its transaction and another of its connections block each other; run all statements on op.get_bind()',
    };
  }
  const isOffered = !MISSING_ON_SERVER.includes(sqlState) && !(sqlState === UNSUPPORTED && MISSING_EXTENSION.test(message));
  if (WRONG_STARTING_POINT.includes(sqlState) || /^NoSuchTableError\b/.test(message) || !isOffered) {
    return { certain: false, hint: failure ? otherStart(failure) : '' };
  }
  if (sqlState === FOREIGN_KEY_VIOLATION) {
    return { certain: false, hint: '; the tables here have only the rows that revisions insert' };
  }
  // The review opens another database, an SQLite file, only to read.
  if (/unable to open database file|attempt to write a readonly database/.test(message)) return { certain: false, hint: '' };
  if (waited || OUTSIDE.test(message)) {
    return {
      certain: false,
      hint: '; it needs something outside of the database, and production holds its locks while it waits',
    };
  }
  // A revision that reads rows finds none in an empty database.
  const readsRows = /NoneType|NoResultFound|IndexError|StopIteration|KeyError/.test(message);
  const hint = /^(?:ModuleNotFound|Import)Error/.test(message)
    ? '; install the module where the migrations run, or import only Alembic and SQLAlchemy'
    : '';
  return { certain: sqlState !== '' || (/^\w*(?:Error|Exit)\b/.test(message) && !readsRows), hint };
}

/** Says where the missing table is created, if a later statement or revision creates it. */
function createdLater(failure: StatementFailure | undefined, revision: AnalyzedRevision, change: Change): string | undefined {
  if (failure?.sqlState !== '42P01') return undefined;
  const missing = /relation "([^"]+)" does not exist/.exec(failure.message)?.[1];
  const creatingStep = ({ upgrade }: AnalyzedRevision) =>
    upgrade.steps.find(
      ({ action }) => action.does === 'create table' && unqualifiedName(action.table) === unqualifiedName(missing ?? ''),
    );
  const here = creatingStep(revision);
  if (here) return `${missing} is created later in this revision, at line ${here.line}: move what refers to it after that line`;
  const next = change.after(revision).find(creatingStep);
  return next && `${missing} is created later, in ${next.facts.revision}: move what refers to it there`;
}

/** https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DISABLE-ENABLE-TRIGGER */
export const triggerDisabled: Rule = {
  id: 'trigger-disabled',
  group: 'data loss',
  severity: 'error',
  title: 'triggers are disabled',
  *check({ upgrade }) {
    for (const [at, { action, isExisting, place }] of upgrade.steps.entries()) {
      if (action.does === 'set' && action.name === 'session_replication_role' && action.value === 'replica') {
        yield {
          ...place,
          message:
            'from here on, no trigger fires and no foreign key is checked for what this session writes, in all tables, and nothing checks it ' +
            'later; after the revision it holds for later revisions of the run, too, unless it is SET LOCAL',
          instead: '# write what the triggers and foreign keys accept, or: ALTER TABLE <table> DISABLE TRIGGER USER',
        };
      }
      if (action.does !== 'disable trigger' || !isExisting(action.table)) continue;
      const { table, which, trigger } = action;
      const again = upgrade.steps.slice(at).some(({ action: next }) => next.does === 'enable trigger' && next.table === table);
      const what = which === 'one' ? `trigger ${trigger} of ${table} is` : `all triggers of ${table} are`;
      yield {
        ...place,
        // Only ALL turns off the triggers that enforce foreign keys.
        ...(which === 'all' ? {} : { atMost: 'warning' as const }),
        message:
          `${what} disabled${again ? '' : ' and not enabled again'}: rows written meanwhile skip ` +
          `${which === 'all' ? 'the foreign keys and everything that the triggers check or copy, and nothing checks them later' : 'what they check or copy'}, ` +
          'and writes to the table wait for the SHARE ROW EXCLUSIVE lock',
        ...(which === 'all' ? { instead: execute(`ALTER TABLE ${quotedTable(table)} DISABLE TRIGGER USER`) } : {}),
      };
    }
  },
};

/**
 * Only a superuser may write them, and RDS has none:
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
 */
export const systemCatalogWritten: Rule = {
  id: 'system-catalog-written',
  group: 'data loss',
  severity: 'error',
  title: 'a system catalog is written',
  *check({ upgrade, downgrade }) {
    for (const { action, isNewTable, place } of [...upgrade.steps, ...downgrade.steps]) {
      if (action.does !== 'insert' && action.does !== 'update' && action.does !== 'delete') continue;
      const catalog = unqualifiedName(action.table);
      // A table of the backend's own may have such a name.
      if (!/^pg_/.test(catalog) || isNewTable(action.table) || upgrade.findTable(action.table)) continue;
      yield {
        ...place,
        message:
          `this ${action.does.toUpperCase()} writes the system catalog ${catalog}: only a superuser may do that, and RDS has none, so it fails there; ` +
          'elsewhere PostgreSQL checks nothing, and a mistake can make the database unusable',
        ...(SAFE_FORMS[catalog] === undefined ? {} : { instead: SAFE_FORMS[catalog] }),
      };
    }
  },
};

const SAFE_FORMS: Readonly<Record<string, string>> = {
  pg_enum: '# leave the value: PostgreSQL cannot remove it, and an unused value does no harm',
  pg_attribute: '# ALTER TABLE ... ALTER COLUMN ... TYPE: a longer varchar, or text, needs no rewrite',
  pg_constraint: '# ALTER TABLE ... VALIDATE CONSTRAINT lets writes continue',
};
