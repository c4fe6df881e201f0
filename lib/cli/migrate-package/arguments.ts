import path from 'node:path';
import { DATABASE_VARIABLES, type DatabaseVariables } from '../../contract';
import type { FunctionPlatform } from '../../packaging/platform';
import type { BackendOptions } from '../../packaging/project/backend';
import { PYTHON_VERSIONS, preferredPython } from '../../packaging/project/python-version';
import { type Options, readOptions, unexpected } from '../options';

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  architecture: { type: 'string' },
  python: { type: 'string' },
  'alembic-config': { type: 'string' },
  requirements: { type: 'string', multiple: true },
  group: { type: 'string', multiple: true },
  extra: { type: 'string', multiple: true },
  without: { type: 'string', multiple: true },
  add: { type: 'string', multiple: true },
  only: { type: 'string' },
  wheels: { type: 'string' },
  exclude: { type: 'string', multiple: true },
  environment: { type: 'string', multiple: true },
  'database-variable': { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Options;

const ARCHITECTURES = ['arm64', 'x86_64'] satisfies FunctionPlatform['architecture'][];

/** The function fills this variable, unless the command line names others or gives it a value. */
const DEFAULT_VARIABLES = { url: 'DATABASE_URL' } satisfies DatabaseVariables;

/** A valid command line. Paths are absolute. */
export interface Arguments {
  readonly directory: string;
  readonly output: string;
  readonly platform: FunctionPlatform;
  readonly options: BackendOptions;
}

/** A parsed command line; `problems` lists everything that is wrong with it. */
export type Parsed =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'problems'; readonly problems: readonly string[] }
  | ({ readonly kind: 'run' } & Arguments);

/** Reads a command line without the program's own name. */
export function parseArguments(argv: readonly string[]): Parsed {
  const line = readOptions(argv, OPTIONS);
  if (line.has('help')) return { kind: 'help' };
  if (line.has('version')) return { kind: 'version' };

  const [named, ...others] = line.named;
  const directory = path.resolve(named ?? '.');
  const output = line.text('output');
  const architecture = ARCHITECTURES.find((name) => name === (line.text('architecture') ?? 'arm64'));
  const pythonVersion = line.text('python') ?? preferredPython(directory, line.texts('requirements'));
  const variables = line.texts('environment').map((text) => text.split(/=(.*)/s));
  const parts = line.texts('database-variable').map((text) => text.split(/=(.*)/s));
  const wheels = line.text('wheels');

  const problems = [
    ...line.problems,
    ...(named === undefined ? ["the backend's folder is missing"] : []),
    ...unexpected(others),
    ...(output ? [] : ['--output is missing']),
    ...unknown('--architecture', line.text('architecture') ?? 'arm64', ARCHITECTURES, ' or '),
    ...unknown('--python', pythonVersion, [...PYTHON_VERSIONS].sort()),
    ...unknown('--only', line.text('only') ?? 'imported', ['imported']),
    ...wrongWithVariables(variables, parts),
  ];
  const hasOwnAddress = variables.some(([name]) => name === DEFAULT_VARIABLES.url);
  if (problems.length || !output || !architecture) return { kind: 'problems', problems: [...new Set(problems)] };

  return {
    kind: 'run',
    directory,
    output: path.resolve(output),
    platform: { architecture, pythonVersion },
    options: {
      alembicConfig: line.text('alembic-config'),
      requirements: line.texts('requirements'),
      groups: line.texts('group'),
      extras: line.texts('extra'),
      without: line.texts('without'),
      add: line.texts('add'),
      wheels: wheels === undefined ? undefined : path.resolve(directory, wheels),
      exclude: line.texts('exclude'),
      onlyImported: line.has('only'),
      databaseVariables: parts.length ? Object.fromEntries(parts) : hasOwnAddress ? undefined : DEFAULT_VARIABLES,
      isAssumed: !variables.length && !parts.length,
      // As the construct sorts them: the package's hash covers them.
      environment: Object.fromEntries(
        variables.map(([name, value]) => [name, value]).sort(([one = ''], [other = '']) => (one < other ? -1 : 1)),
      ),
    },
  };
}

function unknown(option: string, value: string, known: readonly string[], separator = ', '): readonly string[] {
  return known.includes(value) ? [] : [`unknown ${option} ${value}: use ${known.join(separator)}`];
}

/** Each one is split at its first `=`. */
function wrongWithVariables(variables: readonly string[][], parts: readonly string[][]): readonly string[] {
  const noValue = variables.filter(([name, value]) => !name || value === undefined);
  const noPart = parts.filter(([part = '', name]) => !DATABASE_VARIABLES.includes(part) || !name);
  const onlyScheme = parts.length > 0 && parts.every(([part]) => part === 'urlScheme');
  return [
    ...noValue.map(([name]) => `--environment ${name} is not NAME=value`),
    ...noPart.map(([part]) => `--database-variable ${part} is not part=NAME: the parts are ${DATABASE_VARIABLES.join(', ')}`),
    ...(onlyScheme ? ['--database-variable urlScheme=... needs the variable too: url=NAME'] : []),
  ];
}
