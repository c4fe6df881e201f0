import { type Code, isExpression, isList, type Value } from '../../packaging/code-in-messages';

/** Options of the command `migrate-package`, by those of the constructs. */
const FLAGS: Readonly<Record<string, string>> = {
  alembicConfig: '--alembic-config',
  requirements: '--requirements',
  groups: '--group',
  extras: '--extra',
  without: '--without',
  add: '--add',
  only: '--only',
  wheels: '--wheels',
  exclude: '--exclude',
  environment: '--environment',
  runtime: '--python',
  DatabaseVariables: '--database-variable',
};

/** An option of the command in a message. */
export function onCommandLine({ name, value, call: called }: Code): string {
  // The command makes no image.
  if (name === 'MigrationCode.fromImage') return 'a container image';
  const flag = FLAGS[name.split('.')[0] as string] ?? name;
  const given = called ? variablesOf(called) : value;
  const values = given === undefined ? [] : wordsOf(given);
  return values.length ? values.map((word) => `${flag} ${inShell(word)}`).join(' ') : flag;
}

function wordsOf(value: Value): string[] {
  if (isList(value)) return [...value];
  if (typeof value !== 'object') return [String(value)];
  if (!isExpression(value)) return Object.entries(value).map(([key, text]) => `${key}=${text}`);
  const [, python] = /PYTHON_(\w+)$/.exec(value.expression) ?? [];
  return [python ? python.replace('_', '.') : value.expression.replace(/^.*\./, '').toLowerCase()];
}

/** The variables that a call of DatabaseVariables names, as the function's settings have them. */
function variablesOf({ values: [url], options = {} }: NonNullable<Code['call']>): Record<string, string> {
  const renamed: Readonly<Record<string, string>> = { scheme: 'urlScheme', databaseName: 'database' };
  const named = Object.entries(options).map(([key, value]) => [renamed[key] ?? key, String(value)]);
  return { ...(url && { url }), ...Object.fromEntries(named) };
}

function inShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
