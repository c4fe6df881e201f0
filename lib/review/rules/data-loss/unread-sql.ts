import type { SourceFacts } from '../../../contract/facts';
import type { Rule } from '../rule';

export const unreadSql: Rule = {
  id: 'unread-sql',
  group: 'data loss',
  severity: 'warning',
  title: "the upgrade runs SQL that can't be read",
  *check({ losses: destroys, facts, upgrade }) {
    for (const { rule, what, line } of destroys) {
      if (rule !== 'unread-sql') continue;
      const message = `the upgrade ${what}: the deploy's guard can't tell whether data is lost`;
      yield { line, direction: 'upgrade', seen: 'source', message };
    }
    for (const [name, line] of upgrade.replayed ? [] : callsOfMissing(facts.source)) {
      const message = `${name} comes from a module that is not installed here: the review could not tell what it does to the database`;
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
