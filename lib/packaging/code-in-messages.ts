import { nameOf } from './dependencies/parsing/requirement';

/*
 * Messages name options and calls. The reader uses one of jsii's languages or a command line. Only the edge that shows the message
 * knows which one: until then, the message holds them as data.
 */

/** How the reader of a message writes code. */
export type Writer = (code: Code) => string;

/** A value in a message. `expression`: a name of TypeScript, such as `PackageOnly.IMPORTED`. */
export type Value = string | boolean | readonly string[] | Readonly<Record<string, string>> | { readonly expression: string };

/** An option such as `without: ['torch']`, or a call such as `DatabaseVariables.url('DB_URL', { scheme: 'postgresql+asyncpg' })`. */
export interface Code {
  readonly name: string;
  readonly value?: Value;
  readonly call?: { readonly values: readonly string[]; readonly options?: Readonly<Record<string, Value>> };
}

/** Control characters, so that no quoted text looks like a marker. */
const [START, END] = ['\u0002', '\u0003'];
const CODE = new RegExp(`${START}(.*?)${END}`, 'g');

/** An option of the constructs in a message, with a value or just its name. */
export function option(name: string, value?: Value): string {
  return mark({ name, value });
}

/** A name of the constructs or the CDK in a message, such as `MigrationCode.fromImage`. */
export function named(name: string): string {
  return mark({ name });
}

/** A call in a message. */
export function call(name: string, values: readonly string[] = [], options?: Readonly<Record<string, Value>>): string {
  return mark({ name, call: { values, options } });
}

/** The option that packages only what migrations import. */
export function onlyImported(): string {
  return option('only', { expression: 'PackageOnly.IMPORTED' });
}

/** The option that chooses a Python such as `3.13`. */
export function runtimeOption(pythonVersion: string): string {
  return option('runtime', { expression: `lambda.Runtime.PYTHON_${pythonVersion.replace('.', '_')}` });
}

function mark(code: Code): string {
  return `${START}${JSON.stringify(code)}${END}`;
}

/** A message as its reader writes code. */
export function written(message: string, write: Writer): string {
  return message.replace(CODE, (_, json: string) => write(JSON.parse(json) as Code));
}

/** A message whose lists have the reader's own items too, which they would replace when pasted. */
export function addedTo(message: string, own: Readonly<Record<string, readonly string[]>>): string {
  return message.replace(CODE, (marked, json: string) => {
    const { name, value } = JSON.parse(json) as Code;
    if (!own[name] || value === undefined || !isList(value)) return marked;
    const isReplaced = (item: string) => value.some((one) => one === item || (nameOf(one) ?? one) === nameOf(item));
    return option(name, [...own[name].filter((item) => !isReplaced(item)), ...value]);
  });
}

export const inTypeScript = inLanguage({
  name: (name) => name,
  text: (text) => `'${text.replaceAll("'", "\\'")}'`,
  flag: (flag) => String(flag),
  list: (items) => `[${items.join(', ')}]`,
  table: (entries) => `{ ${entries.map(([key, value]) => `${key}: ${value}`).join(', ')} }`,
  option: (name, value) => `${name}: ${value}`,
  options: (all) => `{ ${all.join(', ')} }`,
});

export const inPython = inLanguage({
  // `lambda` is a word of Python.
  name: (name) => name.replace(/^lambda\./, 'lambda_.').replace(/\b[a-z]+(?:[A-Z][a-z\d]*)+\b/g, snakeCase),
  text: (text) => JSON.stringify(text),
  flag: (flag) => (flag ? 'True' : 'False'),
  list: (items) => `[${items.join(', ')}]`,
  table: (entries) => `{${entries.map(([key, value]) => `"${key}": ${value}`).join(', ')}}`,
  option: (name, value) => `${name}=${value}`,
  options: (all) => all.join(', '),
});

/** For Java, .NET and Go: the names of the API reference and the values, without any language's syntax. */
export const inNoLanguage = inLanguage({
  name: (name) => name.replace(/^lambda\./, ''),
  text: (text) => JSON.stringify(text),
  flag: (flag) => String(flag),
  list: (items) => items.join(', '),
  table: (entries) => entries.map(([key, value]) => `${key} ${value}`).join(', '),
  option: (name, value) => `${name} = ${value}`,
  options: (all) => all.join(', '),
});

/** How a language writes code. */
interface Language {
  name(name: string): string;
  text(text: string): string;
  flag(flag: boolean): string;
  list(items: readonly string[]): string;
  table(entries: readonly (readonly [string, string])[]): string;
  option(name: string, value: string): string;
  /** The last argument of a call. */
  options(all: readonly string[]): string;
}

function inLanguage(language: Language): Writer {
  const value = (given: Value): string => {
    if (typeof given === 'string') return language.text(given);
    if (typeof given === 'boolean') return language.flag(given);
    if (isList(given)) return language.list(given.map(language.text));
    if (isExpression(given)) return language.name(given.expression);
    return language.table(Object.entries(given).map(([key, text]) => [key, language.text(text)]));
  };
  const assignment = (name: string, given: Value) => language.option(language.name(name), value(given));
  return ({ name, value: given, call: called }) => {
    if (given !== undefined) return assignment(name, given);
    if (!called) return language.name(name);
    const options = Object.entries(called.options ?? {}).map(([key, one]) => assignment(key, one));
    const all = [...called.values.map(language.text), ...(options.length ? [language.options(options)] : [])];
    return `${language.name(name)}(${all.join(', ')})`;
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

export function isExpression(value: object): value is { readonly expression: string } {
  return 'expression' in value;
}
