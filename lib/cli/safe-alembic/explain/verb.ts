import { defineStandaloneVerb } from '../verb';
import { readExplain } from './arguments';

export const explain = defineStandaloneVerb({
  summary: 'explain a rule of the review, with the safe way; lists all rules without one',
  help: `Explains a rule of the review: what it finds, what that does to production, and the safe way.
Needs no project and no network.

Usage
  safe-alembic explain [rule] [options]
`,
  options: {},
  read: readExplain,
  load: async () => (await import('./action.js')).explain,
});
