import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type MigrateClientOptions, usageProblems } from '../client/client';
import { ALLOWANCES, COMMANDS, DEFAULT_APP_NAME, type MigrateRequest, requestProblems } from '../contract';

const OPTIONS = {
  stage: { type: 'string' },
  command: { type: 'string' },
  revision: { type: 'string' },
  allow: { type: 'string' },
  json: { type: 'boolean' },
  'app-name': { type: 'string' },
  'function-name': { type: 'string' },
  region: { type: 'string' },
  profile: { type: 'string' },
  'endpoint-url': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies ParseArgsConfig['options'];

/** A command line that can be carried out. */
export interface Arguments {
  readonly client: MigrateClientOptions;
  readonly request: MigrateRequest;
  readonly json: boolean;
}

/** What a command line means; `problems` are all that is wrong with it. */
export type Parsed =
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'problems'; readonly problems: readonly string[]; readonly json: boolean }
  | ({ readonly kind: 'run' } & Arguments);

/** Reads a command line without the program's own name. */
export function parseArguments(argv: readonly string[]): Parsed {
  // Not strict: the strict parser stops at the first problem, and refuses `--revision -1`.
  const { values, tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };

  const problems = tokens.flatMap((token, index) => {
    if (token.kind === 'positional') return [`unexpected argument ${JSON.stringify(token.value)}`];
    if (token.kind !== 'option') return [];
    const option = Object.hasOwn(OPTIONS, token.name) ? OPTIONS[token.name as keyof typeof OPTIONS] : undefined;
    if (!option) return [`unknown option ${token.rawName}`];
    const found = [];
    if (option.type === 'string' && (!token.value || token.value.startsWith('--'))) found.push(`${token.rawName} needs a value`);
    if (option.type === 'boolean' && token.value !== undefined) found.push(`${token.rawName} takes no value`);
    const earlier = tokens.slice(0, index).some((other) => other.kind === 'option' && other.name === token.name);
    if (earlier) found.push(`${token.rawName} is given twice`);
    return found;
  });

  const text = (name: keyof typeof OPTIONS) => (typeof values[name] === 'string' ? values[name] : undefined);
  const client: MigrateClientOptions = {
    stage: text('stage'),
    appName: text('app-name'),
    functionName: text('function-name'),
    region: text('region'),
    profile: text('profile'),
    endpoint: text('endpoint-url'),
  };
  const allow = text('allow')?.split(',');
  const request = { command: text('command'), revision: text('revision'), allow } as MigrateRequest;
  if (values.stage === undefined && values['function-name'] === undefined) problems.push('--stage is missing');
  else problems.push(...usageProblems(client));
  problems.push(...requestProblems(request));
  if (client.endpoint && !URL.canParse(client.endpoint)) problems.push(`--endpoint-url ${client.endpoint} is not an address`);

  const json = values.json === true;
  return problems.length > 0
    ? { kind: 'problems', problems: [...new Set(problems)], json }
    : { kind: 'run', client, request, json };
}

/** The text of `--help`. */
export const HELP = `Runs and inspects the Alembic migrations of a stage through its deployed function.

Usage
  migrate-invoke --stage <stage> [--command <command>] [--revision <revision>] [options]

Commands
  upgrade      apply what is pending, up to --revision or head (the default)
  plan         what an upgrade would apply; changes nothing
  current      where the database is; changes nothing
  history      all revisions and which are applied; changes nothing
  downgrade    go back to --revision, where the stage allows it
  stamp        write --revision into the version table and run nothing, where the stage allows it

Options
  --stage <stage>           stage whose database is meant; needed unless --function-name is given
  --command <command>       ${COMMANDS.join(', ')} (default: upgrade)
  --revision <revision>     an id, head, base, or a step such as +1 or -1
  --allow <what>            what an upgrade may do besides: ${ALLOWANCES.join(', ')} (those that are in the way of a revision)
  --json                    one JSON document on stdout; what people read goes to stderr
  --app-name <name>         first part of the function's name (default: ${DEFAULT_APP_NAME})
  --function-name <name>    name or ARN of the function, in place of --stage and --app-name
  --region <region>         default: AWS_REGION, then the profile's
  --profile <profile>       profile of the AWS configuration files
  --endpoint-url <url>      address of Lambda's API, for a local AWS
  --help, --version

Exit codes
  0    done, or nothing to do; a question (plan, current, history) was answered
  1    a migration failed, got no lock or ran into the function's deadline, or what it did is not known
  2    the command line or the request is wrong
  3    not started, the database is as it was: locked, blocked (would lose data), an invalid index in the way, ahead of the code,
       not allowed, several heads, unusable project or settings
  4    not reachable: no credentials, no permission, no function, throttled, no network, or a database or secret that can't be reached or refuses
  130  interrupted; what the function has started goes on to the end of its slice
`;
