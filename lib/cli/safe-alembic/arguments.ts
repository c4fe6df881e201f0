import { type ParseArgsConfig, parseArgs } from 'node:util';
import { requestProblems } from '../../contract';
import { databaseUrlProblems, FAIL_ON, type FailOn } from '../../local/settings';

export const VERBS = ['create', 'review', 'apply', 'verify', 'current', 'history'] as const;
export type Verb = (typeof VERBS)[number];

export const FORMATS = ['terminal', 'json', 'markdown', 'sarif', 'github', 'gitlab', 'html'] as const;
export type Format = (typeof FORMATS)[number];
export type ReportFormat = Exclude<Format, 'terminal'>;

/** A file that is written besides what is shown. */
export interface ReportFile {
  readonly format: ReportFormat;
  readonly file: string;
}

const COMMON = {
  project: { type: 'string' },
  python: { type: 'string' },
  json: { type: 'boolean' },
  'no-progress': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies ParseArgsConfig['options'];

const REPLAY = {
  'database-url': { type: 'string' },
  baseline: { type: 'string' },
  overwrite: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

const FAIL = { 'fail-on': { type: 'string' } } as const satisfies ParseArgsConfig['options'];

const OPTIONS = {
  create: { ...COMMON, ...REPLAY, ...FAIL, empty: { type: 'boolean' } },
  review: {
    ...COMMON,
    ...REPLAY,
    ...FAIL,
    since: { type: 'string' },
    all: { type: 'boolean' },
    format: { type: 'string' },
    report: { type: 'string', multiple: true },
  },
  apply: { ...COMMON, revision: { type: 'string' } },
  verify: { ...COMMON, ...REPLAY },
  current: COMMON,
  history: COMMON,
} as const satisfies Record<Verb, ParseArgsConfig['options']>;

/** A command line that can be carried out. */
export interface MigrateArguments {
  readonly verb: Verb;
  /** What is named without an option: the message of `create`, the revisions of `review`. */
  readonly named: readonly string[];
  readonly project?: string;
  readonly python?: string;
  readonly json: boolean;
  readonly progress: boolean;
  readonly databaseUrl?: string;
  readonly baseline?: string;
  readonly overwrite: boolean;
  readonly failOn?: FailOn;
  readonly empty: boolean;
  readonly since?: string;
  readonly all: boolean;
  readonly format: Format;
  readonly reports: readonly ReportFile[];
  readonly revision?: string;
}

/** What a command line means; `problems` are all that is wrong with it. */
export type ParsedMigrate =
  | { readonly kind: 'help'; readonly verb?: Verb }
  | { readonly kind: 'version' }
  | { readonly kind: 'problems'; readonly verb?: Verb; readonly problems: readonly string[]; readonly json: boolean }
  | ({ readonly kind: 'run' } & MigrateArguments);

/** Reads a command line without the program's own name. */
export function parseMigrateArguments(argv: readonly string[]): ParsedMigrate {
  const [first] = argv;
  const verb = VERBS.find((name) => name === first);
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }> = verb
    ? OPTIONS[verb]
    : COMMON;
  // Not strict: the strict parser stops at the first problem.
  const { values, tokens, positionals } = parseArgs({
    args: argv.slice(verb ? 1 : 0),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flag = (name: string) => values[name] === true;
  const text = (name: string) => (typeof values[name] === 'string' ? values[name] : undefined);
  if (flag('help') || (argv.length === 1 && first === 'help')) return { kind: 'help', verb };
  if (flag('version')) return { kind: 'version' };

  const json = flag('json') || text('format') === 'json';
  if (!verb) {
    const asked = positionals[0] === undefined ? 'the verb is missing' : `unknown verb ${JSON.stringify(positionals[0])}`;
    return { kind: 'problems', problems: [`${asked}: use ${VERBS.join(', ')}`], json };
  }
  const problems = tokens.flatMap((token, index) => tokenProblems(token, tokens.slice(0, index), options));
  problems.push(...namedProblems(verb, positionals));
  const oneOf = (name: string, known: readonly string[]) => {
    const value = text(name);
    if (value && !known.includes(value)) problems.push(`unknown --${name} ${JSON.stringify(value)}: use ${known.join(', ')}`);
  };
  oneOf('format', FORMATS);
  oneOf('fail-on', FAIL_ON);
  if (flag('json') && text('format') !== undefined) problems.push('--json and --format are two ways to say it: give one');
  if ([flag('all'), text('since') !== undefined, verb === 'review' && positionals.length > 0].filter(Boolean).length > 1) {
    problems.push('revisions, --since and --all exclude each other: give one');
  }
  const url = text('database-url');
  if (url) problems.push(...databaseUrlProblems(url).map((problem) => `--database-url must be an address ${problem}`));
  const reports = [values.report ?? []].flat().flatMap((value) => (typeof value === 'string' ? [reportFile(value)] : []));
  problems.push(...reports.flatMap((one) => ('problem' in one ? [one.problem] : [])));
  const revision = text('revision');
  if (revision) problems.push(...requestProblems({ command: 'upgrade', revision }));

  if (problems.length > 0) return { kind: 'problems', verb, problems: [...new Set(problems)], json };
  return {
    kind: 'run',
    verb,
    named: positionals,
    project: text('project'),
    python: text('python'),
    json,
    progress: !flag('no-progress'),
    databaseUrl: url,
    baseline: text('baseline'),
    overwrite: flag('overwrite'),
    failOn: text('fail-on') as FailOn | undefined,
    empty: flag('empty'),
    since: text('since'),
    all: flag('all'),
    format: json ? 'json' : ((text('format') ?? 'terminal') as Format),
    reports: reports as readonly ReportFile[],
    revision,
  };
}

function namedProblems(verb: Verb, named: readonly string[]): string[] {
  if (verb === 'review') return [];
  if (verb !== 'create') return named.map((value) => `unexpected argument ${JSON.stringify(value)}`);
  if (named.length === 0) return ['the message is missing: safe-alembic create "Add notifications table"'];
  return named.length > 1 ? ['the message is several arguments: put it into quotes'] : [];
}

/** `sarif=review.sarif` */
function reportFile(value: string): ReportFile | { readonly problem: string } {
  const [, format, file] = /^(\w+)=(.+)$/.exec(value) ?? [];
  const formats = FORMATS.filter((known) => known !== 'terminal');
  const known = formats.find((one) => one === format);
  if (known && file) return { format: known, file };
  return { problem: `--report must be a format and a file, such as sarif=review.sarif; the formats are ${formats.join(', ')}` };
}

interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly rawName?: string;
  readonly value?: string | undefined;
}

/** What is wrong with one argument, seen alone and beside those before it. */
function tokenProblems(
  { kind, name = '', rawName, value }: Token,
  before: readonly Token[],
  options: Readonly<Record<string, { readonly type: string; readonly multiple?: boolean }>>,
): string[] {
  if (kind !== 'option') return [];
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (!option) return [`unknown option ${rawName}`];
  const found = [];
  if (option.type === 'string' && (!value || value.startsWith('--'))) found.push(`${rawName} needs a value`);
  if (option.type === 'boolean' && value !== undefined) found.push(`${rawName} takes no value`);
  if (!option.multiple && before.some((other) => other.kind === 'option' && other.name === name))
    found.push(`${rawName} is given twice`);
  return found;
}
