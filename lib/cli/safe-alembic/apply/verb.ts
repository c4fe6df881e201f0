import { defineVerb } from '../verb';
import { OPTIONS, readApply } from './arguments';

export const apply = defineVerb({
  summary: "upgrade the project's own database, the way production will be upgraded",
  help: `Upgrades the project's own database with the runner that production uses.

Usage
  safe-alembic apply [--revision <revision>] [options]

Target
  --revision <revision>     an id, head, or a step such as +1 (default: head)
`,
  options: OPTIONS,
  read: readApply,
  load: async () => (await import('./action.js')).apply,
});
