import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MigrateError } from '../contract/failure';
import { type Budgets, budgetProblems, isRecord, type MeasureSettings, measureProblems } from './limits';

export const FAIL_ON = ['error', 'warning', 'never'] as const;
export type FailOn = (typeof FAIL_ON)[number];

const RULE_LEVELS = ['off', 'warn', 'error'] as const;
export type RuleLevel = (typeof RULE_LEVELS)[number];

/** A project's settings: the key `cdk-alembic` of a package.json, or the file cdk-alembic.json. Paths are absolute. */
export interface Settings {
  /** Folder of the Alembic project. @default - searched for */
  readonly project?: string;
  /** The command that starts the backend's Python. @default - searched for */
  readonly python?: string | readonly string[];
  /** An empty database to replay on. @default - a scratch server */
  readonly databaseUrl?: string;
  /** Variables to set before the backend is imported. One that this process has keeps its value. */
  readonly environment: Readonly<Record<string, string>>;
  /** SQL to start from. @default - an empty database */
  readonly baseline?: string;
  /** @default 'error' */
  readonly failOn: FailOn;
  /** Whether revisions that can't be replayed may pass based on their source. @default false */
  readonly allowNotReplayed?: boolean;
  /** File with the sizes of production, as `migrate-invoke --command statistics --json` prints them. */
  readonly statistics?: string;
  /** Below both, a finding about a lock is a note. @default - 10,000 rows and 10 MB */
  readonly smallTable?: { readonly rows?: number; readonly bytes?: number };
  /** The most that an upgrade may do to production. @default - anything */
  readonly budgets?: Budgets;
  /** Limits of `review --measure`. */
  readonly measure?: MeasureSettings;
  /** Severity of each rule. @default - the rule's own */
  readonly rules: Readonly<Record<string, RuleLevel>>;
  /** Folder of the settings file, or of a project without one. */
  readonly folder: string;
}

export const SETTINGS_KEY = 'cdk-alembic';
const FILE = 'cdk-alembic.json';

/**
 * Reads the nearest settings, from a folder upwards to the repository's root; undefined if there are none. Throws a
 * {@link MigrateError} that names all problems at once.
 *
 * @param knownRule whether a rule has that name
 */
export function readSettings(from: string, knownRule: (rule: string) => boolean): Settings | undefined {
  for (const folder of foldersUp(from)) {
    const found = [read(path.join(folder, FILE)), read(path.join(folder, 'package.json'), SETTINGS_KEY)].filter(
      ({ value }) => value !== undefined,
    );
    const [source, other] = found;
    if (source === undefined) continue;
    const problems = other ? [`${source.name} and ${other.name} both have settings: keep one`] : [];
    problems.push(...settingsProblems(source.value, knownRule).map((problem) => `${source.name}: ${problem}`));
    if (problems.length > 0) {
      throw new MigrateError('invalid_settings', problems.join('; '), 'correct the settings; docs/review.md lists them');
    }
    return trusted(source.value as RawSettings, folder);
  }
  return undefined;
}

/** The settings of a project that has none. */
export function defaultSettings(folder: string): Settings {
  return trusted({}, folder);
}

/** A folder and those above it, up to the repository's root. */
export function* foldersUp(from: string): Generator<string> {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    yield folder;
    if (existsSync(path.join(folder, '.git')) || folder === path.dirname(folder)) return;
  }
}

interface Source {
  readonly name: string;
  readonly value: unknown;
}

function read(file: string, key?: string): Source {
  const name = key === undefined ? file : `"${key}" in ${file}`;
  if (!existsSync(file)) return { name, value: undefined };
  try {
    const document = JSON.parse(readFileSync(file, 'utf8'));
    return { name, value: key === undefined ? document : document?.[key] };
  } catch (error) {
    // npm reports a broken package.json.
    if (key !== undefined) return { name, value: undefined };
    throw new MigrateError('invalid_settings', `${file} is not JSON: ${(error as Error).message}`, 'correct the file');
  }
}

/** The raw settings. */
interface RawSettings {
  readonly project?: string;
  readonly python?: string | readonly string[];
  readonly databaseUrl?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly baseline?: string;
  readonly failOn?: FailOn;
  readonly allowNotReplayed?: boolean;
  readonly statistics?: string;
  readonly smallTable?: Settings['smallTable'];
  readonly budgets?: Budgets;
  readonly measure?: MeasureSettings;
  readonly rules?: Readonly<Record<string, RuleLevel>>;
}

type Check = (value: unknown) => string[];

/** All problems of settings; empty if they are valid. */
export function settingsProblems(settings: unknown, knownRule: (rule: string) => boolean): string[] {
  if (!isRecord(settings)) return ['must be an object'];
  const checks: Record<keyof RawSettings, Check> = {
    project: mustBeText,
    python: (value) => (isWords(value) ? [] : ['must be a text or a list of texts']),
    databaseUrl: (value) => databaseUrlProblems(value).map((problem) => `must be an address ${problem}`),
    environment: (value) => (isRecord(value) && Object.values(value).every(isString) ? [] : ['must be an object of texts']),
    baseline: mustBeText,
    failOn: mustBeOneOf(FAIL_ON),
    allowNotReplayed: (value) => (typeof value === 'boolean' ? [] : ['must be true or false']),
    statistics: mustBeText,
    smallTable: smallTableProblems,
    budgets: budgetProblems,
    measure: measureProblems,
    rules: (value) => ruleProblems(value, knownRule),
  };
  return Object.entries(settings).flatMap(([key, value]) => {
    if (!Object.hasOwn(checks, key)) return [`unknown key "${key}": use ${Object.keys(checks).join(', ')}`];
    return checks[key as keyof RawSettings](value).map((problem) => `"${key}" ${problem}`);
  });
}

/** The problems of a database's address. */
export function databaseUrlProblems(value: unknown): string[] {
  if (typeof value !== 'string' || !URL.canParse(value)) return ['such as postgresql://user:password@host:5432/database'];
  const { protocol, pathname } = new URL(value);
  if (protocol !== 'postgresql:' && protocol !== 'postgres:') return [`with the scheme postgresql, not ${protocol.slice(0, -1)}`];
  return pathname.length > 1 ? [] : ['with a database name'];
}

function ruleProblems(value: unknown, knownRule: (rule: string) => boolean): string[] {
  if (!isRecord(value)) return ['must be an object'];
  return Object.entries(value).flatMap(([rule, level]) => [
    ...(knownRule(rule) ? [] : [`names the rule "${rule}", which does not exist`]),
    ...mustBeOneOf(RULE_LEVELS)(level).map((problem) => `of "${rule}" ${problem}`),
  ]);
}

function smallTableProblems(value: unknown): string[] {
  if (!isRecord(value)) return ['must be an object'];
  return Object.entries(value).flatMap(([key, limit]) => {
    if (key !== 'rows' && key !== 'bytes') return [`has the unknown key "${key}": use rows, bytes`];
    return typeof limit === 'number' && limit >= 0 ? [] : [`must have a number of ${key}, 0 or more`];
  });
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isWords = (value: unknown) =>
  (isString(value) && value.trim() !== '') || (Array.isArray(value) && value.length > 0 && value.every(isString));
const mustBeText: Check = (value) => (isString(value) && value !== '' ? [] : ['must be a text']);
const mustBeOneOf =
  (values: readonly string[]): Check =>
  (value) =>
    isString(value) && values.includes(value) ? [] : [`must be ${values.map((one) => `"${one}"`).join(' or ')}`];

function trusted(
  { project, baseline, statistics, failOn = 'error', environment = {}, rules = {}, ...rest }: RawSettings,
  folder: string,
): Settings {
  const absolute = (given?: string) => (given === undefined ? undefined : path.resolve(folder, given));
  const variables = Object.entries(environment).map(([name, value]) => [name, process.env[name] ?? value]);
  return {
    ...rest,
    project: absolute(project),
    baseline: absolute(baseline),
    ...(statistics === undefined ? {} : { statistics: absolute(statistics) }),
    failOn,
    environment: Object.fromEntries(variables),
    rules,
    folder,
  };
}
