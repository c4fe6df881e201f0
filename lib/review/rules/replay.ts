import { isConcurrent } from './concurrently';
import type { Rule } from './rule';

/** What an incomplete starting point lacks or has twice: the base tables of many projects were not made by migrations. */
const NOT_THERE = /^(?:42P01|42703|42704|42883|3F000|42P07|42701|42710|42P06|58P01|0A000|42501)$/;

export const upgradeFails: Rule = {
  id: 'upgrade-fails',
  group: 'transactions',
  severity: 'error',
  title: 'the upgrade fails',
  *check({ facts, upgrade }) {
    const { outcome, failure } = upgrade.facts;
    // Where those before it could not be applied, it can't be blamed for what is missing.
    const blameless = upgrade.facts.reason !== undefined && !isCertain(failure?.sqlState);
    if (outcome === 'failed' && !blameless && !(failure?.sqlState === '25001' && isConcurrent(failure.statement ?? ''))) {
      const certain = isCertain(failure?.sqlState);
      yield {
        line: failure?.line ?? upgrade.source?.line ?? 1,
        direction: 'upgrade',
        seen: 'replay',
        statement: failure?.statement,
        ...(certain ? {} : { atMost: 'warning' as const }),
        message:
          `the upgrade fails on the scratch database: ${failure?.message ?? 'without a message'}` +
          (certain
            ? ''
            : '; if production has what is missing, a schema dump as the starting point (--baseline) lets it run here'),
      };
    }
    const withRows = facts.rows?.upgradeFailure;
    if (outcome === 'done' && withRows && !/^23/.test(withRows.sqlState ?? '')) {
      yield {
        line: withRows.line ?? upgrade.source?.line ?? 1,
        direction: 'upgrade',
        seen: 'replay',
        statement: withRows.statement,
        atMost: 'warning',
        message: `the upgrade fails where the tables hold rows: ${withRows.message}`,
      };
    }
  },
};

export const triggerDisabled: Rule = {
  id: 'trigger-disabled',
  group: 'data loss',
  severity: 'warning',
  title: 'triggers are switched off',
  *check({ upgrade }) {
    for (const [at, { action, isExisting, place }] of upgrade.steps.entries()) {
      if (action.does !== 'disable trigger' || !isExisting(action.table)) continue;
      const { table, trigger } = action;
      const again = upgrade.steps.slice(at).some(({ action: next }) => next.does === 'enable trigger' && next.table === table);
      yield {
        ...place,
        message:
          `${trigger === 'all' ? 'all triggers' : `trigger ${trigger}`} of ${table} are switched off${again ? ' until the revision commits' : ' and stay so'}: ` +
          'foreign keys and other rules that they keep are not checked, and writes of the table wait for the SHARE ROW EXCLUSIVE lock',
      };
    }
  },
};

function isCertain(sqlState: string | undefined): boolean {
  return sqlState !== undefined && !NOT_THERE.test(sqlState);
}
