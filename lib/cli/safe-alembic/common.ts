import type { CommandLine, Options } from '../options';

/** Options of every verb that works in a project. */
export const PROJECT_OPTIONS = {
  project: { type: 'string' },
  python: { type: 'string' },
  x: { type: 'string', short: 'x', multiple: true },
} as const satisfies Options;

/** Options of every verb. */
export const OUTPUT_OPTIONS = {
  json: { type: 'boolean' },
  'no-progress': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Options;

export const PROJECT_HELP = `Project
  --project <folder>        folder with alembic.ini, or pyproject.toml with [tool.alembic]
                            (default: searched from here upwards, then up to two levels
                            below here and below the folders above, within the repository)
  --python <command>        command that starts the backend's Python: an interpreter, the folder
                            of a virtual environment, or words such as
                            "docker compose exec -T back uv run"
                            (default: uv run with a uv.lock, else .venv, the active environment,
                            Poetry's, PDM's or Pipenv's, or python3)
  -x <key>=<value>          what env.py reads with context.get_x_argument(); repeatable
`;

export const OUTPUT_HELP = `Output
  --json                    print one JSON document on stdout
  --no-progress             show no progress bar and no occasional lines
  NO_COLOR, CI              environment: no colors; no progress bar
  LANG, LC_ALL              environment: ASCII only, if the locale is not UTF-8
  --help, --version`;

export const EXIT_HELP = `Exit codes
  0    done, or nothing to do
  1    a finding or a failure
  2    the command line is wrong
  3    not started: unusable project or settings, nothing to create, would lose data
  4    not reachable: no Python with Alembic, no PostgreSQL, or a database that does not answer
  130  interrupted; everything that it started has been stopped`;

export interface CommonArguments {
  readonly project?: string;
  readonly python?: string;
  /** What env.py reads with `context.get_x_argument()`. */
  readonly x: readonly string[];
  readonly json: boolean;
  readonly progress: boolean;
}

export function readCommon(line: CommandLine): CommonArguments {
  return {
    project: line.text('project'),
    python: line.text('python'),
    x: line.texts('x'),
    // Equivalent to `review --format json`.
    json: line.flag('json') || line.text('format') === 'json',
    progress: !line.flag('no-progress'),
  };
}
