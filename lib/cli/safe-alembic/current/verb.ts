import { unexpected } from '../../options';
import { defineVerb } from '../verb';

export const current = defineVerb<void>({
  summary: "show the revision of the project's own database; changes nothing",
  help: `Shows the revision of the project's own database, and what is pending. Changes nothing.

Usage
  safe-alembic current [options]
`,
  options: {},
  read: (line, problems) => {
    problems.push(...unexpected(line.named));
  },
  load: async () => (await import('./action.js')).current,
});
