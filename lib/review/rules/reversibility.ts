import type { Call, SchemaChange, StatementFailure } from '../../contract/facts';
import type { AnalyzedRevision, RevisionFunction } from '../revision/analyzed-revision';
import { refusedStatement } from '../sql/concurrently';
import { nameList } from './name-list';
import { isOfSampleText, mayStemFromUnapplied } from './replay';
import { failsOnRows } from './rows';
import type { Rule } from './rule';

export const downgradeMissing: Rule = {
  id: 'downgrade-missing',
  group: 'reversibility',
  severity: 'warning',
  title: 'the downgrade is missing, empty or raises',
  *check(revision) {
    const { facts, downgrade } = revision;
    const { source } = downgrade;
    if (!changesSchema(revision) || facts.downRevisions.length > 1) return;
    if (source && !source.empty && !source.raises) return;
    const how = !source ? 'it has no downgrade' : source.raises ? 'its downgrade only raises' : 'its downgrade is empty';
    yield {
      line: source?.line ?? 1,
      direction: 'downgrade',
      seen: 'source',
      message:
        `the revision changes the schema, but ${how}: ` +
        (source?.empty ? 'Alembic goes back, the schema stays, and the next upgrade fails' : 'the release cannot be rolled back'),
      instead: '# cdk-alembic: allow downgrade-missing: <why there is no downgrade>',
    };
  },
};

/** Whether the schema changed, ignoring constraints that only became valid: those need no downgrade. */
function changesSchema({ facts, upgrade }: AnalyzedRevision): boolean {
  const { changes } = facts;
  if (upgrade.replayed && changes) {
    const changed = Object.values(changes.changed).filter(
      ([before, after]) => before.replace(/\s*NOT VALID/, '') !== after && !onlyGainsLabels(before, after),
    );
    return changed.length + Object.keys(changes.added).length + Object.keys(changes.removed).length > 0;
  }
  const data = [
    'other',
    'set',
    'reset',
    'set sequence',
    'lock session',
    'unlock session',
    'end sessions',
    'need superuser',
    'need autocommit',
    'create role',
    'grant to public',
    'change setting',
    'sleep',
    'lock rows',
    'unparsed',
    'add enum value',
    'update',
    'delete',
    'insert',
    'validate',
    'begin transaction',
    'end transaction',
    'refresh',
    'lock',
    'copy rows',
    'revoke',
    'restart sequence',
  ];
  return upgrade.steps.some(({ action }) => !data.includes(action.does));
}

/** The cause of 21 of 59 failing downgrades in public projects: https://alembic.sqlalchemy.org/en/latest/naming.html */
export const dropConstraintNone: Rule = {
  id: 'drop-constraint-none',
  group: 'reversibility',
  severity: 'error',
  title: 'drop_constraint(None): a constraint cannot be dropped without its name',
  *check({ parts }) {
    for (const part of parts) {
      if (part.replayed) continue;
      for (const { line, args, keywords } of unnamedDrops(part)) {
        const table = args[1] ?? keywords.table_name;
        const on = typeof table === 'string' ? table : '<table>';
        yield {
          line,
          direction: part.direction,
          seen: part.facts.outcome === 'failed' ? 'replay' : 'source',
          message: `drop_constraint(None) fails: the constraint${typeof table === 'string' ? ` of ${on}` : ''} has no name here, so the ${part.direction} cannot run`,
          instead: `op.drop_constraint("<name>", ${JSON.stringify(on)}, type_=${JSON.stringify(keywords.type_ ?? 'foreignkey')})\n# and name it where it is created, or set a naming_convention on the metadata`,
        };
      }
    }
  },
};

/** The calls that drop a constraint without its name. */
export function unnamedDrops({ source }: RevisionFunction): readonly Call[] {
  return (source?.calls ?? []).filter(
    ({ name, args, keywords }) =>
      name.split('.').at(-1) === 'drop_constraint' && (args.length ? args[0] : keywords.constraint_name) === null,
  );
}

export const downgradeFails: Rule = {
  id: 'downgrade-fails',
  group: 'reversibility',
  severity: 'error',
  title: 'the downgrade fails',
  *check(revision) {
    const { facts, upgrade, downgrade } = revision;
    const { source } = downgrade;
    const { outcome, failure } = downgrade.facts;
    const isNamed = source?.raises || unnamedDrops(downgrade).length > 0 || failedConcurrently(failure);
    if (outcome === 'failed' && !isNamed && !mayStemFromUnapplied(facts, failure)) {
      yield {
        line: failure?.line ?? source?.line ?? 1,
        direction: 'downgrade',
        seen: 'replay',
        statement: failure?.statement,
        message: `the downgrade fails right after the upgrade: ${failure?.message ?? 'without a message'}`,
      };
    }
    const withRows = facts.rows?.downgradeFailure;
    // The trial with rows is one transaction, in which the upgrade's new enum value can't be used yet.
    const isNewValue = withRows?.sqlState === '55P04' && upgrade.steps.some(({ action }) => action.does === 'add enum value');
    if (withRows && outcome === 'done' && !isNewValue && !isOfSampleText(withRows)) {
      yield {
        line: withRows.line ?? source?.line ?? 1,
        direction: 'downgrade',
        seen: 'replay',
        statement: withRows.statement,
        atMost: 'warning',
        message: `the downgrade fails if the tables have rows: ${withRows.message}`,
      };
    } else {
      for (const one of failsOnRows(revision)) if (outcome !== 'failed' || one.line !== failure?.line) yield one;
    }
  },
};

function failedConcurrently(failure: StatementFailure | undefined): boolean {
  return failure?.sqlState === '25001' && refusedStatement(failure.statement ?? '') !== undefined;
}

export const reupgradeFails: Rule = {
  id: 'reupgrade-fails',
  group: 'reversibility',
  severity: 'error',
  title: 'the upgrade fails after the downgrade',
  *check({ facts, upgrade, downgrade }) {
    const { again } = facts;
    // An empty downgrade leaves everything behind: downgrade-missing reports it.
    if (!again || !downgrade.source || downgrade.source.empty) return;
    if (again.outcome === 'failed') {
      if (mayStemFromUnapplied(facts, again.failure)) return;
      yield {
        line: again.failure?.line ?? upgrade.source?.line ?? 1,
        direction: 'upgrade',
        seen: 'replay',
        statement: again.failure?.statement,
        message: `the upgrade fails after the downgrade, which left something behind: ${again.failure?.message ?? 'without a message'}`,
      };
    } else if (again.differs && describeChanges(again.differs)) {
      yield {
        line: upgrade.source?.line ?? 1,
        direction: 'upgrade',
        seen: 'replay',
        atMost: 'warning',
        message: `after the downgrade, the upgrade creates a different schema: ${describeChanges(again.differs)}`,
      };
    }
  },
};

export const downgradeNotRestoring: Rule = {
  id: 'downgrade-not-restoring',
  group: 'reversibility',
  severity: 'warning',
  title: 'the downgrade does not restore the schema',
  *check({ facts, downgrade }) {
    const { notRestored } = facts;
    if (!notRestored || !downgrade.source || downgrade.source.empty) return;
    const words = describeChanges(notRestored);
    if (!words) return;
    yield {
      line: downgrade.source.line,
      direction: 'downgrade',
      seen: 'replay',
      message: `the schema differs after upgrade and downgrade: ${words}`,
    };
  },
};

function describeChanges({ added, removed, changed }: SchemaChange): string {
  const left = Object.keys(added);
  const lost = Object.keys(removed);
  const other = Object.entries(changed).flatMap(([name, [before, after]]) =>
    onlyGainsLabels(before, after) ? [] : [`${name} (was ${before}, is ${after})`],
  );
  return [
    ...(left.length ? [`left behind: ${nameList(left)}`] : []),
    ...(lost.length ? [`missing: ${nameList(lost)}`] : []),
    ...(other.length ? [`different: ${nameList(other)}`] : []),
  ].join('; ');
}

/** Whether an enum only gains labels: PostgreSQL can't remove a label, and an unused one does no harm. */
export function onlyGainsLabels(before: string, after: string): boolean {
  const labels = (definition: string) => /^ENUM \((.*)\)$/.exec(definition)?.[1]?.split(', ');
  const [old, current] = [labels(before), labels(after)];
  return !!old && !!current && old.every((label) => current.includes(label));
}
