import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type MigrateClientOptions, usageProblems } from '../../client/client';
import { COMMANDS, type MigrateRequest, requestProblems } from '../../contract';

/** All options; `migrate-invoke --tenants` knows the same. */
export const OPTIONS = {
  stage: { type: 'string' },
  command: { type: 'string' },
  revision: { type: 'string' },
  to: { type: 'string' },
  'dry-run': { type: 'boolean' },
  allow: { type: 'string' },
  in: { type: 'string' },
  'wait-lock': { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  json: { type: 'boolean' },
  follow: { type: 'boolean' },
  'no-progress': { type: 'boolean' },
  'app-name': { type: 'string' },
  'function-name': { type: 'string' },
  region: { type: 'string' },
  profile: { type: 'string' },
  'endpoint-url': { type: 'string' },
  tenants: { type: 'string' },
  'retry-failed': { type: 'boolean' },
  run: { type: 'string' },
  approve: { type: 'string' },
  reject: { type: 'string' },
  stop: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies ParseArgsConfig['options'];

/** With one of these the command is about many tenants. */
export const TENANT_OPTIONS = ['tenants', 'retry-failed', 'run', 'approve', 'reject', 'stop'] as const;

/** What can be asked for: the function's commands, and `check`, which is one of the client. */
export const CLI_COMMANDS = [...COMMANDS, 'check'] as const;
export type CliCommand = (typeof CLI_COMMANDS)[number];

/** A command line that can be carried out. */
export interface Arguments {
  readonly client: MigrateClientOptions;
  readonly command: CliCommand;
  /** For the function; with `check` it is `current`. */
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
}

/** What a command line means; `problems` are all that is wrong with it. */
export type Parsed =
  | { readonly kind: 'help' | 'version' }
  /** It is about many tenants: they have a reader of their own. */
  | { readonly kind: 'tenants' }
  | { readonly kind: 'problems'; readonly problems: readonly string[]; readonly json: boolean }
  | ({ readonly kind: 'run' } & Arguments);

/** Reads a command line without the program's own name. */
export function parseArguments(argv: readonly string[]): Parsed {
  const { values, tokens } = readOptions(argv);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  if (TENANT_OPTIONS.some((name) => values[name] !== undefined)) return { kind: 'tenants' };

  const text = (name: keyof typeof OPTIONS) => (typeof values[name] === 'string' ? values[name] : undefined);
  const flag = (name: keyof typeof OPTIONS) => values[name] === true;
  const client: MigrateClientOptions = {
    stage: text('stage'),
    appName: text('app-name'),
    functionName: text('function-name'),
    region: text('region'),
    profile: text('profile'),
    endpoint: text('endpoint-url'),
  };
  const asked = (text('command') ?? 'upgrade') as CliCommand;
  const dryRun = flag('dry-run');
  const command = dryRun && asked === 'upgrade' ? 'plan' : asked;
  const changes = command === 'upgrade' || command === 'downgrade' || command === 'stamp';
  const sent = command === 'check' ? 'current' : command;
  const request: MigrateRequest = {
    command: sent,
    revision: text('revision') ?? text('to'),
    allow: text('allow')?.split(',') as MigrateRequest['allow'],
    in: text('in') as MigrateRequest['in'],
  };
  const lock = text('wait-lock');

  const problems = tokens.flatMap((token, index) => tokenProblems(token, tokens.slice(0, index)));
  if (values.stage === undefined && values['function-name'] === undefined) problems.push('--stage is missing');
  else problems.push(...usageProblems(client));
  if (!CLI_COMMANDS.includes(asked)) problems.push(`unknown command ${JSON.stringify(asked)}: use ${CLI_COMMANDS.join(', ')}`);
  else {
    if (command === 'check' && request.revision !== undefined) problems.push('"check" takes no revision');
    else problems.push(...requestProblems(request));
    if (values.to !== undefined && values.revision !== undefined) problems.push('--to and --revision are the same: give one');
    if (values.to !== undefined && command === 'stamp') problems.push('"stamp" takes no --to: give --revision');
    if (dryRun && command !== 'plan') problems.push(`"${asked}" takes no --dry-run`);
    for (const name of ['wait-lock', 'follow'] as const) {
      if (values[name] !== undefined && !changes) problems.push(`"${dryRun ? '--dry-run' : asked}" takes no --${name}`);
    }
  }
  if (lock !== undefined && !/^[0-9]{1,5}$/.test(lock)) problems.push(`--wait-lock ${lock} is not a number of seconds`);
  if (client.endpoint && !URL.canParse(client.endpoint)) problems.push(`--endpoint-url ${client.endpoint} is not an address`);

  const json = flag('json');
  if (problems.length > 0) return { kind: 'problems', problems: [...new Set(problems)], json };
  return {
    kind: 'run',
    client,
    command,
    request,
    changes,
    sql: dryRun || undefined,
    lockSeconds: lock === undefined ? undefined : Number(lock),
    yes: flag('yes'),
    json,
    follow: flag('follow'),
    progress: !flag('no-progress'),
  };
}

/** The options of a command line, whatever is wrong with them. */
export function readOptions(argv: readonly string[]) {
  // Not strict: the strict parser stops at the first problem, and refuses `--revision -1`.
  return parseArgs({ args: [...argv], options: OPTIONS, strict: false, allowPositionals: true, tokens: true });
}

interface ParseConfig {
  readonly options: typeof OPTIONS;
  readonly strict: false;
  readonly allowPositionals: true;
  readonly tokens: true;
}
type Token = ReturnType<typeof parseArgs<ParseConfig>>['tokens'][number];

/** What is wrong with one argument, seen alone and beside those before it. */
export function tokenProblems(token: Token, before: readonly Token[]): string[] {
  if (token.kind === 'positional') return [`unexpected argument ${JSON.stringify(token.value)}`];
  if (token.kind !== 'option') return [];
  const option = Object.hasOwn(OPTIONS, token.name) ? OPTIONS[token.name as keyof typeof OPTIONS] : undefined;
  if (!option) return [`unknown option ${token.rawName}`];
  const found = [];
  if (option.type === 'string' && (!token.value || token.value.startsWith('--'))) found.push(`${token.rawName} needs a value`);
  if (option.type === 'boolean' && token.value !== undefined) found.push(`${token.rawName} takes no value`);
  if (before.some((other) => other.kind === 'option' && other.name === token.name)) found.push(`${token.rawName} is given twice`);
  return found;
}
