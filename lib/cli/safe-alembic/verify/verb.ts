import { unexpected } from '../../options';
import { REPLAY_HELP, REPLAY_OPTIONS, type ReplayArguments, readReplay } from '../replay/options';
import { defineVerb } from '../verb';

export const verify = defineVerb<ReplayArguments>({
  summary: 'check heads, models, env.py, and that each revision can be reverted and reapplied',
  help: `Checks that the database is at head, that there is one head, that models and migrations agree, that
env.py commits its work, and that each revision can be reverted and applied again.

Usage
  safe-alembic verify [options]

${REPLAY_HELP}
`,
  options: REPLAY_OPTIONS,
  read: (line, problems) => {
    problems.push(...unexpected(line.named));
    return readReplay(line, problems);
  },
  load: async () => (await import('./action.js')).verify,
});
