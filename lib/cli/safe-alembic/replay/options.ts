import { databaseUrlProblems, FAIL_ON, type FailOn } from '../../../local/settings';
import type { CommandLine, Options } from '../../options';

/** Options of every verb that replays revisions. */
export const REPLAY_OPTIONS = {
  'database-url': { type: 'string' },
  baseline: { type: 'string' },
  overwrite: { type: 'boolean' },
} as const satisfies Options;

export const REPLAY_HELP = `Replay
  --database-url <url>      replay on this empty PostgreSQL database
                            (default: a server that is started for the run)
  --overwrite               empty that database first
  --baseline <file>         SQL to start from, such as the output of pg_dump
                            (default: an empty database)`;

/** Options of every verb that reviews revisions. */
export const FAIL_OPTIONS = {
  'fail-on': { type: 'string' },
  'allow-not-replayed': { type: 'boolean' },
  statistics: { type: 'string' },
} as const satisfies Options;

export const FAIL_HELP = `  --fail-on <severity>      lowest severity that fails: error, warning or never
                            (default: error)
  --allow-not-replayed      pass although some revisions could only be judged from their source
  --statistics <file>       sizes of production, the JSON of migrate-invoke's command statistics:
                            findings say how long a lock is held; small tables get notes`;

export interface FailArguments {
  readonly failOn?: FailOn;
  readonly allowNotReplayed?: boolean;
  /** File with the sizes of production. */
  readonly statistics?: string;
}

export interface ReplayArguments {
  readonly databaseUrl?: string;
  readonly baseline?: string;
  readonly overwrite: boolean;
}

export function readReplay(line: CommandLine<keyof typeof REPLAY_OPTIONS>, problems: string[]): ReplayArguments {
  const databaseUrl = line.text('database-url');
  if (databaseUrl) {
    problems.push(...databaseUrlProblems(databaseUrl).map((problem) => `--database-url must be an address ${problem}`));
  }
  return { databaseUrl, baseline: line.text('baseline'), overwrite: line.flag('overwrite') };
}

export function readFail(line: CommandLine<keyof typeof FAIL_OPTIONS>, problems: string[]): FailArguments {
  return {
    failOn: oneOf(line, 'fail-on', FAIL_ON, problems),
    allowNotReplayed: line.flag('allow-not-replayed'),
    statistics: line.text('statistics'),
  };
}

/** The value of an option that accepts one of a few words. */
export function oneOf<Name extends string, Word extends string>(
  line: CommandLine<Name>,
  name: Name,
  words: readonly Word[],
  problems: string[],
): Word | undefined {
  const value = line.text(name);
  const known = words.find((word) => word === value);
  if (value && !known) problems.push(`unknown --${name} ${JSON.stringify(value)}: use ${words.join(', ')}`);
  return known;
}
