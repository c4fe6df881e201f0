import { nameListProblems, runIdProblems } from '../../../client/tenants/input';
import { nameProblems } from '../../../contract';
import { TENANT_ALLOWANCES, type TenantAllowance } from '../../../contract/tenants';
import { type CommandLine, readOptions, unexpected } from '../../options';
import { type Connection, connectionProblems, readConnection } from '../connection';
import { OPTIONS, type OptionName } from '../options';
import { namesFile } from './names-file';
import { TENANTS_OPTION_NAMES } from './options';

/** The commands for many tenants. */
export const CLI_COMMANDS = ['upgrade', 'plan', 'check', 'drift'] as const;
export type CliCommand = (typeof CLI_COMMANDS)[number];

/** The verbs for an existing run. */
const RUN_VERBS = ['run', 'approve', 'reject', 'stop'] as const;
export type RunVerb = (typeof RUN_VERBS)[number];

export interface StartTask {
  readonly verb: 'start';
  readonly command: CliCommand;
  /** Names. Undefined: all, or those of `retryFailed`. */
  readonly tenants?: readonly string[];
  readonly retryFailed?: true;
  readonly allow?: readonly TenantAllowance[];
}

export interface RunTask {
  readonly verb: RunVerb;
  readonly runId: string;
}

/** A valid command line. */
export interface Arguments {
  readonly client: Connection & { readonly stage: string };
  readonly task: StartTask | RunTask;
  readonly yes: boolean;
  readonly json: boolean;
  readonly progress: boolean;
  /** File to write drift to, as SARIF. */
  readonly sarif?: string;
}

/** A parsed command line; `problems` lists everything that is wrong with it. */
export type Parsed =
  | { readonly kind: 'problems'; readonly problems: readonly string[]; readonly json: boolean }
  | ({ readonly kind: 'tenants' } & Arguments);

/** Options for one database that do not apply to many tenants, and their replacement. */
const NOT_FOR_TENANTS: Partial<Record<OptionName, string>> = {
  revision: 'every tenant goes to head',
  to: 'every tenant goes to head',
  'dry-run': 'use --command plan, which counts tenants per revision',
  snapshot: 'no snapshots are made for many tenants',
  'wait-lock': 'a tenant that is locked fails; run it again with --retry-failed',
  follow: 'each batch has its own log; `details` shows where they are',
  'function-name': 'the run is a state machine, found by --stage and --app-name',
};

/** Options that are fixed when a run starts. */
const DECIDED: readonly OptionName[] = ['tenants', 'retry-failed', 'command', 'allow', 'yes'];

/** Reads a command line that has one of the options for many tenants. */
export function parseArguments(argv: readonly string[]): Parsed {
  const line = readOptions(argv, OPTIONS, CLI_COMMANDS);
  const client = { ...readConnection(line), stage: line.text('stage') ?? '' };
  const problems = [...line.problems, ...unexpected(line.named, CLI_COMMANDS)];
  problems.push(...(line.has('stage') ? nameProblems(client.appName, client.stage) : ['--stage is missing']));
  problems.push(...connectionProblems(client));
  for (const [name, instead] of Object.entries(NOT_FOR_TENANTS)) {
    if (!line.has(name as OptionName)) continue;
    problems.push(`--${name} can't be combined with ${shown(TENANTS_OPTION_NAMES.filter(line.has))}: ${instead}`);
  }
  const task = RUN_VERBS.some(line.has) ? readRunTask(line, problems) : readStartTask(line, problems);

  const sarif = line.text('sarif');
  if (sarif !== undefined && task.verb === 'start' && task.command !== 'drift') {
    problems.push(`"${task.command}" takes no --sarif`);
  }

  const json = line.flag('json');
  if (problems.length > 0) return { kind: 'problems', problems: [...new Set(problems)], json };
  return { kind: 'tenants', client, task, yes: line.flag('yes'), json, progress: !line.flag('no-progress'), sarif };
}

function readRunTask(line: CommandLine<OptionName>, problems: string[]): RunTask {
  const verbs = RUN_VERBS.filter(line.has);
  const [verb = 'run'] = verbs;
  const runId = line.text(verb) ?? '';
  if (verbs.length > 1) problems.push(`${shown(verbs)} exclude each other: use one`);
  for (const name of DECIDED.filter(line.has))
    problems.push(`--${verb} takes no --${name}, which was fixed when the run started`);
  if (runId && !runId.startsWith('--')) problems.push(...runIdProblems(runId, verb === 'run' || verb === 'stop'));
  return { verb, runId };
}

function readStartTask(line: CommandLine<OptionName>, problems: string[]): StartTask {
  const retryFailed = line.flag('retry-failed');
  const { tenants, ...which } = whichTenants(line.text('tenants'), retryFailed);
  const command = (line.text('command') ?? 'upgrade') as CliCommand;
  const allow = line.text('allow')?.split(',') as TenantAllowance[] | undefined;
  problems.push(...which.problems);
  if (!CLI_COMMANDS.includes(command)) {
    problems.push(`"${command}" is not available for many tenants: use ${CLI_COMMANDS.join(', ')}`);
  } else if (allow && command !== 'upgrade' && command !== 'drift') problems.push(`"${command}" takes no --allow`);
  if (allow && !allow.every((item) => TENANT_ALLOWANCES.includes(item))) {
    problems.push(`--allow must be a list of ${TENANT_ALLOWANCES.join(', ')}`);
  }
  return { verb: 'start', command, tenants, allow, ...(retryFailed && { retryFailed }) };
}

function whichTenants(
  asked: string | undefined,
  retryFailed: boolean,
): { readonly tenants?: readonly string[]; readonly problems: readonly string[] } {
  if (asked === undefined || asked === '' || asked.startsWith('--') || asked === 'all') return { problems: [] };
  if (retryFailed) return { problems: ['--retry-failed chooses the tenants: leave out --tenants, or use --tenants all'] };
  const list = asked.startsWith('@') ? namesFile(asked.slice(1)) : { names: asked.split(',') };
  if ('problem' in list) return { problems: [list.problem] };
  return { tenants: [...new Set(list.names)], problems: nameListProblems(list.names) };
}

function shown(names: readonly string[]): string {
  return names.map((name) => `--${name}`).join(' and ');
}
