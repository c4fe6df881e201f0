import { FAIL_HELP, REPLAY_HELP } from '../replay/options';
import { defineVerb } from '../verb';
import { OPTIONS, readCreate } from './arguments';

export const create = defineVerb({
  summary: 'write a revision for the changes in the models, and review it',
  help: `Brings a scratch database to head, compares it with the models, writes a revision, and reviews it.

Usage
  safe-alembic create "Add notifications table" [options]

Revision
  -m, --message <message>   the same, as "alembic revision" takes it
  --head <revision>         what it follows where there are labelled branches, such as billing@head
                            (default: the only head)
  --splice                  let it follow a revision that is no head
  --branch-label <label>    label of the branch that it begins
  --version-path <folder>   where its file goes, one of the project's version_locations
                            (default: where the file is that it follows)
  --rev-id <id>             its id (default: a random one)
  --depends-on <revision>   a revision of another branch that it needs; repeatable
  --empty                   write a revision without operations, to fill in by hand
  --backfill <assignment>   write a revision that fills a column where it is NULL, in batches:
                            "users.full_name = name"
  --rename <old>=<new>      rename instead of drop and add, such as users.name=users.full_name
                            or users=people; repeatable
  --no-rename               drop and add what looks like a rename
  --keep-dropped <days>     rename what is dropped to a name with a date; drop it later
                            (default: drop it)
  --as-is                   write what Alembic would, not the safe form
                            (default: the safe form, in as many revisions as it takes)
${FAIL_HELP}

${REPLAY_HELP}
`,
  options: OPTIONS,
  read: readCreate,
  load: async () => (await import('./action.js')).create,
});
