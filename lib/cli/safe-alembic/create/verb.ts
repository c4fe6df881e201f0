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
  --head <revision>         parent on one of several labeled branches, such as billing@head
                            (default: the only head)
  --splice                  allow a parent that is not a head
  --branch-label <label>    label of a new branch that starts here
  --version-path <folder>   where its file goes, one of the project's version_locations
                            (default: the folder of its parent)
  --rev-id <id>             its id (default: a random one)
  --depends-on <revision>   a revision of another branch that it depends on; repeatable
  --empty                   write a revision without operations, to fill in by hand
  --backfill <assignment>   write a revision that fills a column where it is NULL, in batches:
                            "users.full_name = name"
  --rename <old>=<new>      rename instead of drop and add, such as users.name=users.full_name
                            or users=people; repeatable
  --no-rename               drop and add what looks like a rename
  --keep-dropped <days>     rename instead of dropping, to a name with a date; drop it later
                            (default: drop it)
  --as-is                   write what Alembic would write, not the safe form
                            (default: the safe form, in as many revisions as it takes)
  --with-drift              write all differences between models and migrations
                            (default: only those that the default branch does not have)
${FAIL_HELP}

${REPLAY_HELP}
`,
  options: OPTIONS,
  read: readCreate,
  load: async () => (await import('./action.js')).create,
});
