import type { Rule } from '../rule';

/** https://www.postgresql.org/docs/current/ddl-rowsecurity.html: "If no policy exists for the table, a default-deny policy is used" */
export const rowSecurityWithoutPolicy: Rule = {
  id: 'row-security-without-policy',
  group: 'compatibility',
  severity: 'warning',
  title: 'row-level security is enabled and no policy admits anyone',
  *check({ upgrade }) {
    const admitted = new Set(upgrade.steps.flatMap(({ action }) => (action.does === 'create policy' ? [action.table] : [])));
    for (const { action, isExisting, place } of upgrade.steps) {
      if (action.does !== 'alter table' || action.how !== 'AT_EnableRowSecurity') continue;
      const { table } = action;
      if (!isExisting(table) || admitted.has(table)) continue;
      yield {
        ...place,
        message:
          `row-level security is enabled on ${table} and the revision creates no policy: without one, every role but the owner and ` +
          'those with BYPASSRLS reads no rows and can write none',
        instead: '# create the policies first, in this revision: CREATE POLICY ... ON ... USING (...)',
      };
    }
  },
};
