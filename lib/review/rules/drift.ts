import { installation } from '../../local/installation';
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
        message: `the models need an operation that no revision has: ${operation}`,
        instead: `${installation().command} create "..."`,
      };
    }
    const differences = [
      ...Object.keys(catalog.removed).map((name) => `the migrations create ${name}, the models do not`),
      ...Object.keys(catalog.added).map((name) => `the models create ${name}, no migration does`),
      ...Object.entries(catalog.changed).map(
        ([name, [migrated, modelled]]) => `${name} is ${migrated} in the migrations and ${modelled} in the models`,
      ),
    ];
    for (const message of differences) yield { ...place, message };
  },
};
