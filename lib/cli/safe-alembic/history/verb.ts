import { unexpected } from '../../options';
import { defineVerb } from '../verb';

export const history = defineVerb<void>({
  summary: "draw the revisions as a graph, with the database's revision; changes nothing",
  help: `Draws the revisions with their branches and merges, and the database's revision. Changes nothing.

Usage
  safe-alembic history [options]
`,
  options: {},
  read: (line, problems) => {
    problems.push(...unexpected(line.named));
  },
  load: async () => (await import('./action.js')).history,
});
