import { FAIL_HELP, REPLAY_HELP } from '../replay/options';
import { defineVerb } from '../verb';
import { FORMATS, OPTIONS, readReview } from './arguments';

export const review = defineVerb({
  summary: 'replay revisions on a scratch PostgreSQL and report what they would do to production',
  help: `Replays revisions up, down and up again on a scratch PostgreSQL. Reports what they would do to
production, and how to write them safely. Never touches the project's own database.

Usage
  safe-alembic review [revision... | --since <ref> | --all] [options]

Revisions
  <revision>...             these revisions, by id or file
  --since <ref>             new or changed since this branch and <ref> diverged
  --all                     all revisions
                            (default: --since the default branch; without git, the heads)

Fixes
  --fix                     rewrite revisions that are not on the default branch yet into the safe
                            form, if it is proved on the scratch database to do the same
  --dry-run                 with --fix: show the diff, and write nothing

Measurement
  --measure                 with --statistics: run each revision on tables with as many
                            generated rows as production has; measure its locks and the
                            waits of others

Reports
  --format <format>         ${FORMATS.join(', ')}
                            (default: terminal)
  --report <format>=<file>  also write a report to a file, such as html=review.html; repeatable
  GITHUB_ACTIONS            environment: adds annotations and the job summary
${FAIL_HELP}

${REPLAY_HELP}
  --no-cache                run all earlier revisions, and keep nothing for the next review
`,
  options: OPTIONS,
  read: readReview,
  load: async () => (await import('./action.js')).review,
});
