import { unexpected } from '../../options';
import { defineVerb } from '../verb';

export const current = defineVerb<void>({
  summary: "show where the project's own database is; changes nothing",
  help: `Shows where the project's own database is, and what is pending. Changes nothing.

Usage
  safe-alembic current [options]
`,
  options: {},
  read: (line, problems) => {
    problems.push(...unexpected(line.named));
  },
  load: async () => (await import('./action.js')).current,
});
