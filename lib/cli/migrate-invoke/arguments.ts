import { type MigrateClientOptions, usageProblems } from '../../client/client';
import { COMMANDS, changesDatabase, type MigrateRequest, requestProblems } from '../../contract';
import { type CommandLine, readOptions, unexpected, unknownCommand } from '../options';
import { connectionProblems, readConnection } from './connection';
import { OPTIONS, type OptionName } from './options';
import { TENANTS_OPTION_NAMES } from './tenants/options';

/** The function's commands, and the client's `check`. */
export const CLI_COMMANDS = [...COMMANDS, 'check'] as const;
export type CliCommand = (typeof CLI_COMMANDS)[number];

/** A valid command line. */
export interface Arguments {
  readonly client: MigrateClientOptions;
  readonly command: CliCommand;
  /** The function's request; for `check` it is `current`. */
  readonly request: MigrateRequest;
  /** Whether the command changes the database. */
  readonly changes: boolean;
  /** Whether the plan shows the SQL. */
  readonly sql?: boolean;
  readonly lockSeconds?: number;
  readonly yes: boolean;
  readonly json: boolean;
  readonly follow: boolean;
  readonly progress: boolean;
  /** File to write drift to, as SARIF. */
  readonly sarif?: string;
}

/** A parsed command line; `problems` lists everything that is wrong with it. */
export type Parsed =
  | { readonly kind: 'help' | 'version' }
  /** For many tenants, which have their own parser. */
  | { readonly kind: 'tenants' }
  | { readonly kind: 'problems'; readonly problems: readonly string[]; readonly json: boolean }
  | ({ readonly kind: 'run' } & Arguments);

/** Reads a command line without the program's own name. */
export function parseArguments(argv: readonly string[]): Parsed {
  const line = readOptions(argv, OPTIONS, CLI_COMMANDS);
  if (line.has('help')) return { kind: 'help' };
  if (line.has('version')) return { kind: 'version' };
  if (TENANTS_OPTION_NAMES.some(line.has)) return { kind: 'tenants' };

  const client = { ...readConnection(line), stage: line.text('stage'), functionName: line.text('function-name') };
  const asked = (line.text('command') ?? 'upgrade') as CliCommand;
  const command = line.flag('dry-run') && asked === 'upgrade' ? 'plan' : asked;
  const changes = changesDatabase(command);
  const request: MigrateRequest = {
    command: command === 'check' ? 'current' : command,
    revision: line.text('revision') ?? line.text('to'),
    allow: line.text('allow')?.split(',') as MigrateRequest['allow'],
    in: line.text('in') as MigrateRequest['in'],
    snapshot: line.flag('snapshot') || undefined,
  };
  const lock = line.text('wait-lock');
  const json = line.flag('json');

  const problems = [
    ...line.problems,
    ...unexpected(line.named, CLI_COMMANDS),
    ...(line.has('stage') || line.has('function-name') ? usageProblems(client) : ['--stage is missing']),
    ...commandProblems(line, { asked, command, request, changes }),
    ...lockProblems(lock),
    ...connectionProblems(client),
  ];
  if (problems.length > 0) return { kind: 'problems', problems: [...new Set(problems)], json };
  return {
    kind: 'run',
    client,
    command,
    request,
    changes,
    sql: line.flag('dry-run') || undefined,
    lockSeconds: lock === undefined ? undefined : Number(lock),
    yes: line.flag('yes'),
    json,
    follow: line.flag('follow'),
    progress: !line.flag('no-progress'),
    sarif: line.text('sarif'),
  };
}

interface Asked extends Pick<Arguments, 'command' | 'request' | 'changes'> {
  /** The command as typed. */
  readonly asked: CliCommand;
}

function lockProblems(seconds: string | undefined): string[] {
  return seconds === undefined || /^[0-9]{1,5}$/.test(seconds) ? [] : [`--wait-lock ${seconds} is not a number of seconds`];
}

/** The problem of an unknown command, or those of options that do not apply to the command. */
function commandProblems(line: CommandLine<OptionName>, { asked, command, request, changes }: Asked): string[] {
  if (!CLI_COMMANDS.includes(asked)) return [unknownCommand(asked, CLI_COMMANDS)];
  const dryRun = line.has('dry-run');
  const onlyChanges = (['wait-lock', 'follow'] as const).filter((name) => line.has(name) && !changes);
  return [
    ...(command === 'check' && request.revision !== undefined ? ['"check" takes no revision'] : requestProblems(request)),
    ...(line.has('to') && line.has('revision') ? ['--to and --revision are the same: use one of them'] : []),
    ...(line.has('to') && command === 'stamp' ? ['"stamp" takes no --to: use --revision'] : []),
    ...(dryRun && command !== 'plan' ? [`"${asked}" takes no --dry-run`] : []),
    ...(line.has('sarif') && command !== 'drift' ? [`"${asked}" takes no --sarif`] : []),
    ...onlyChanges.map((name) => `"${dryRun ? '--dry-run' : asked}" takes no --${name}`),
  ];
}
