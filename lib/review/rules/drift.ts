import type { Rule } from './rule';

export const drift: Rule = {
  id: 'drift',
  group: 'drift',
  severity: 'warning',
  title: 'models and migrations disagree',
  *checkProject({ input }) {
    if (!input.drift || input.drift.reason) return;
    const { operations, catalog } = input.drift;
    const head = input.graph.revisions.find(({ revision }) => input.graph.heads.includes(revision));
    const place = { file: head?.file ?? 'alembic.ini', revision: head?.revision, line: 1, seen: 'replay' as const };
    for (const operation of operations) {
      yield {
        ...place,
        message: `the models want what no revision does: ${operation}`,
        instead: 'npx safe-alembic create "..."',
      };
    }
    const differences = [
      ...Object.keys(catalog.removed).map((name) => `the migrations make ${name}, the models do not`),
      ...Object.keys(catalog.added).map((name) => `the models make ${name}, no migration does`),
      ...Object.entries(catalog.changed).map(
        ([name, [migrated, modelled]]) => `${name} is ${migrated} by the migrations and ${modelled} by the models`,
      ),
    ];
    for (const message of differences) yield { ...place, message };
  },
};
