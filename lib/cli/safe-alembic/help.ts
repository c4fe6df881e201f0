import { FORMATS, type Verb } from './arguments';

const COMMON = `Project
  --project <folder>        folder with alembic.ini, or pyproject.toml with [tool.alembic]
                            (default: looked for upwards from here, then right below)
  --python <command>        what starts the backend's Python: an interpreter, the folder of a
                            virtual environment, or words such as
                            "docker compose exec -T back uv run"
                            (default: uv run)

What is shown
  --json                    one JSON document on stdout
  --no-progress             no bar and no signs of life
  NO_COLOR, CI              environment: no colours; nobody watches
  --help, --version`;

const REPLAY = `Where it is replayed
  --database-url <url>      an empty PostgreSQL database in place of a server that is started
  --overwrite               empty that database if it holds something
  --baseline <file>         SQL to start from, such as pg_dump writes
                            (default: an empty database)`;

const FAIL_ON = `  --fail-on <severity>      error, warning or never: from where on a finding makes the exit code 1
                            (default: error)`;

const EXIT = `Exit codes
  0    done, or nothing to do
  1    something was found, or something ran and failed
  2    the command line is wrong
  3    not started: unusable project or settings, nothing to create, would lose data
  4    not reachable: no uv, no Python, no PostgreSQL, or a database that does not answer
  130  interrupted; nothing that was started goes on`;

/** The text of `--help`. */
export const HELP = `Makes Alembic migrations safe before production sees them.

Usage
  safe-alembic <verb> [options]

Verbs
  create       write a revision for what has changed in the models, and review it
  review       replay revisions on a scratch PostgreSQL and tell what they would do to production
  apply        upgrade the project's own database, as production will be
  verify       database at head, one head, models and migrations agree, env.py commits, up-down-up
  current      where the project's own database is; changes nothing
  history      the revisions as a graph, and where the database is; changes nothing

${COMMON}

Settings
  the key "cdk-alembic" of a package.json, or cdk-alembic.json: project, python, databaseUrl,
  environment, baseline, failOn, rules

${EXIT}

safe-alembic <verb> --help shows a verb's options.
`;

const OWN: Record<Verb, string> = {
  create: `Brings a scratch database to head, compares it with the models, writes a revision, and reviews it.

Usage
  safe-alembic create "Add notifications table" [options]

What is written
  --empty                   a revision without operations, to be written by hand
${FAIL_ON}

${REPLAY}
`,
  review: `Replays revisions up, down and up again on a scratch PostgreSQL, and tells what they would do to
production and how to write it safely. The project's own database is not touched.

Usage
  safe-alembic review [revision... | --since <ref> | --all] [options]

Which revisions
  <revision>...             these
  --since <ref>             those that are new or changed since this branch and <ref> parted
  --all                     all of them
                            (default: --since the default branch; the heads where git can't tell)

What comes out
  --format <format>         ${FORMATS.join(', ')}
                            (default: terminal)
  --report <format>=<file>  a report besides, such as html=review.html; may be repeated
  GITHUB_ACTIONS            environment: annotations and the summary of the job, besides
${FAIL_ON}

${REPLAY}
`,
  apply: `Upgrades the project's own database with the same runner as production.

Usage
  safe-alembic apply [--revision <revision>] [options]

What to run
  --revision <revision>     an id, head, or a step such as +1 (default: head)
`,
  verify: `Checks that the database is at head, that there is one head, that models and migrations agree, that
env.py commits what it runs, and that each revision can be taken back and applied again.

Usage
  safe-alembic verify [options]

${REPLAY}
`,
  current: `Tells where the project's own database is, and what is pending. Changes nothing.

Usage
  safe-alembic current [options]
`,
  history: `Draws the revisions with their branches and merges, and where the database is. Changes nothing.

Usage
  safe-alembic history [options]
`,
};

/** The text of `--help` with a verb. */
export function helpOf(verb: Verb): string {
  return `${OWN[verb]}\n${COMMON}\n\n${EXIT}\n`;
}
