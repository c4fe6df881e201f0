import { unexpected } from '../../options';
import { defineVerb } from '../verb';

export const history = defineVerb<void>({
  summary: 'draw the revisions as a graph, and where the database is; changes nothing',
  help: `Draws the revisions with their branches and merges, and where the database is. Changes nothing.

Usage
  safe-alembic history [options]
`,
  options: {},
  read: (line, problems) => {
    problems.push(...unexpected(line.named));
  },
  load: async () => (await import('./action.js')).history,
});
