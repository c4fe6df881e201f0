import { nameListProblems, runIdProblems } from '../../../client/tenants/input';
import { ALLOWANCES, type Allowance, DEFAULT_APP_NAME, nameProblems } from '../../../contract';
import { type OPTIONS, readOptions, TENANT_OPTIONS, tokenProblems } from '../arguments';
import { tenantsFile } from './file';

/** What can be asked for about many tenants. */
export const TENANT_CLI_COMMANDS = ['upgrade', 'plan', 'check'] as const;
export type TenantCliCommand = (typeof TENANT_CLI_COMMANDS)[number];

/** What is done with a run that is there already. */
export type RunVerb = 'run' | 'approve' | 'reject' | 'stop';

/** A command line that can be carried out. */
export interface TenantsArguments {
  readonly client: {
    readonly stage: string;
    readonly appName?: string;
    readonly region?: string;
    readonly profile?: string;
    readonly endpoint?: string;
  };
  readonly task:
    | {
        readonly verb: 'start';
        readonly command: TenantCliCommand;
        /** Names. Undefined: all, or those that `retryFailed` means. */
        readonly tenants?: readonly string[];
        readonly retryFailed?: true;
        readonly allow?: readonly Allowance[];
      }
    | { readonly verb: RunVerb; readonly runId: string };
  readonly yes: boolean;
  readonly json: boolean;
  readonly progress: boolean;
}

export type ParsedTenants =
  | { readonly kind: 'problems'; readonly problems: readonly string[]; readonly json: boolean }
  | ({ readonly kind: 'tenants' } & TenantsArguments);

type Name = keyof typeof OPTIONS;

/** Options of the plain command that say nothing about many tenants, and what does. */
const SENSELESS: Partial<Record<Name, string>> = {
  revision: 'every tenant goes to head',
  to: 'every tenant goes to head',
  'dry-run': 'use --command plan, which shows how many tenants are where',
  'wait-lock': 'a tenant that is locked fails, and --retry-failed comes back to it',
  follow: 'there are as many logs as batches; `details` says where they are',
  'function-name': 'the run is a state machine, found by --stage and --app-name',
};

/** What a run that is there already has decided when it was started. */
const DECIDED: readonly Name[] = ['tenants', 'retry-failed', 'command', 'allow', 'yes'];

/** Reads a command line that has one of {@link TENANT_OPTIONS}; `problems` are all that is wrong with it. */
export function parseTenantsArguments(argv: readonly string[]): ParsedTenants {
  const { values, tokens } = readOptions(argv);
  const text = (name: Name) => (typeof values[name] === 'string' ? values[name] : undefined);
  const flag = (name: Name) => values[name] === true;
  const given = (name: Name) => values[name] !== undefined;
  const [stage = '', appName = DEFAULT_APP_NAME, endpoint] = [text('stage'), text('app-name'), text('endpoint-url')];
  const problems = tokens.flatMap((token, index) => tokenProblems(token, tokens.slice(0, index)));
  if (!given('stage')) problems.push('--stage is missing');
  else problems.push(...nameProblems(appName, stage));
  if (endpoint && !URL.canParse(endpoint)) problems.push(`--endpoint-url ${endpoint} is not an address`);
  for (const [name, instead] of Object.entries(SENSELESS)) {
    if (given(name as Name)) problems.push(`--${name} makes no sense with ${shown(TENANT_OPTIONS.filter(given))}: ${instead}`);
  }
  const verbs = (['run', 'approve', 'reject', 'stop'] as const).filter(given);
  const [verb] = verbs;
  let task: TenantsArguments['task'];
  if (verb) {
    const runId = text(verb) ?? '';
    if (verbs.length > 1) problems.push(`${shown(verbs)} exclude each other: give one`);
    for (const name of DECIDED.filter(given)) problems.push(`--${verb} takes no --${name}: the run was started with its own`);
    if (runId && !runId.startsWith('--')) problems.push(...runIdProblems(runId));
    task = { verb, runId };
  } else {
    const { tenants, ...which } = whichTenants(text('tenants'), flag('retry-failed'));
    const command = (text('command') ?? 'upgrade') as TenantCliCommand;
    const allow = text('allow')?.split(',') as Allowance[] | undefined;
    problems.push(...which.problems);
    if (!TENANT_CLI_COMMANDS.includes(command)) {
      problems.push(`"${command}" makes no sense with many tenants: use ${TENANT_CLI_COMMANDS.join(', ')}`);
    } else if (allow && command !== 'upgrade') problems.push(`"${command}" takes no --allow`);
    if (allow && !allow.every((item) => ALLOWANCES.includes(item)))
      problems.push(`--allow must be a list of ${ALLOWANCES.join(', ')}`);
    task = { verb: 'start', command, tenants, allow, ...(flag('retry-failed') && { retryFailed: true }) };
  }
  const json = flag('json');
  if (problems.length > 0) return { kind: 'problems', problems: [...new Set(problems)], json };
  const client = { stage, appName: text('app-name'), region: text('region'), profile: text('profile'), endpoint };
  return { kind: 'tenants', client, task, yes: flag('yes'), json, progress: !flag('no-progress') };
}

function whichTenants(asked: string | undefined, retryFailed: boolean): { tenants?: readonly string[]; problems: string[] } {
  if (asked === undefined || asked === '' || asked.startsWith('--') || asked === 'all') return { problems: [] };
  if (retryFailed) return { problems: ['--retry-failed says which tenants: give --tenants all with it, or nothing'] };
  const list = asked.startsWith('@') ? tenantsFile(asked.slice(1)) : { names: asked.split(',') };
  if ('problem' in list) return { problems: [list.problem] };
  return { tenants: [...new Set(list.names)], problems: nameListProblems(list.names) };
}

function shown(names: readonly string[]): string {
  return names.map((name) => `--${name}`).join(' and ');
}
