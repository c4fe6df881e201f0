/*
 * The rules of inputs as data: a request, the function's settings, a tenant. Each rule is beside the type that it checks
 * (lib/contract/request.ts and its neighbors). `npm run generate` writes them for the runner to
 * lambda/migrate/cdk_alembic/protocol/rules.py. `problems` there and `problemsOf` here interpret them and report the same problems in
 * the same words.
 */

/** One key, or one item of a list. */
export type Rule = Check & Common;
export type ListRule = Extract<Rule, { type: 'list' }>;

export interface Common {
  /** The message for an invalid value. `{key}` is its path, `{value}` the value. */
  readonly wrong: string;
  /** Commands (values of the shape's `by`) that accept the key. @default - all */
  readonly takenBy?: readonly string[];
  /** Commands that require the key, or `all`. @default - none */
  readonly neededBy?: 'all' | readonly string[];
  /** The name of a missing key in the message. @default - the key */
  readonly called?: string;
}

export type Check =
  /** @param pattern of the whole text. Without one, any text that is not empty is valid. */
  | { readonly type: 'text'; readonly pattern?: string; readonly maxLength?: number }
  | { readonly type: 'number'; readonly from: number; readonly to?: number; readonly whole?: boolean }
  | { readonly type: 'boolean' }
  | { readonly type: 'choice'; readonly of: readonly string[]; readonly default?: string }
  /** @param once a key in which all items must differ */
  | { readonly type: 'list'; readonly of: Rule; readonly min?: number; readonly max?: number; readonly once?: string }
  | { readonly type: 'object'; readonly shape: Shape };

/** An object. Unknown keys are invalid. */
export interface Shape<T = Record<string, unknown>> {
  /** Its name in messages. */
  readonly name: string;
  /** The key that decides which others are accepted and required. */
  readonly by?: keyof T & string;
  readonly keys: { readonly [key in keyof T & string]-?: Rule };
  /** One of these keys is required. */
  readonly oneOf?: { readonly keys: readonly string[]; readonly wrong: string };
  /** Only one of these keys is allowed; `false` counts as absent. */
  readonly notBoth?: { readonly keys: readonly string[]; readonly wrong: string };
}

/** A list of thousands of items can have thousands of problems; people read only a few. */
const MAX_LISTED = 5;
const MAX_VALUE_LENGTH = 60;

/** All problems of a value; empty: it is valid. A key that is `undefined` counts as absent, as in JSON. */
export function problemsOf<T>(shape: Shape<T>, value: unknown, path = ''): string[] {
  if (!isRecord(value)) return [`${path || shape.name} must be a JSON object`];
  const pathOf = (key: string) => (path ? `${path}.${key}` : key);
  const { by } = shape;
  const rules = Object.entries<Rule>(shape.keys);
  const known = rules.map(([key]) => key);
  const unknown = Object.keys(value)
    .filter((key) => value[key] !== undefined && !known.includes(key))
    .map((key) => `unknown key ${quoted(pathOf(key))}: use ${known.join(', ')}`);
  const command = by === undefined ? undefined : chosen(shape.keys[by], value[by]);
  const wrong = by === undefined ? [] : valueProblems(shape.keys[by], command, pathOf(by));
  // The command determines which keys are valid.
  if (wrong.length > 0) return [...unknown, ...wrong];
  const problems = rules.flatMap(([key, rule]) =>
    key === by ? [] : keyProblems(rule, key, value[key], command as string, pathOf(key)),
  );
  return [...unknown, ...problems, ...combinationProblems(shape, value)];
}

function keyProblems(rule: Rule, key: string, value: unknown, command: string, path: string): string[] {
  const { takenBy, neededBy, called = key } = rule;
  if (value === undefined) {
    if (neededBy === 'all') return [`${path} is missing`];
    return neededBy?.includes(command) ? [`${quoted(command)} needs ${called}`] : [];
  }
  return takenBy && !takenBy.includes(command) ? [`${quoted(command)} takes no ${key}`] : valueProblems(rule, value, path);
}

/** The problems of keys that depend on each other. */
function combinationProblems(
  { oneOf, notBoth }: Pick<Shape, 'oneOf' | 'notBoth'>,
  value: Readonly<Record<string, unknown>>,
): string[] {
  const given = (keys: readonly string[]) => keys.filter((key) => value[key] !== undefined && value[key] !== false).length;
  return [
    ...(oneOf && given(oneOf.keys) === 0 ? [oneOf.wrong] : []),
    ...(notBoth && given(notBoth.keys) > 1 ? [notBoth.wrong] : []),
  ];
}

/** The problems of one value, such as a single option; empty: it is valid. */
export function valueProblems(rule: Rule, value: unknown, key = ''): string[] {
  if (rule.type === 'object' && isRecord(value)) return problemsOf(rule.shape, value, key);
  if (!passes(rule, value)) return [rule.wrong.replaceAll('{key}', () => key).replaceAll('{value}', () => quoted(value))];
  if (rule.type !== 'list') return [];
  const items = value as unknown[];
  const found = items.flatMap((item, index) => valueProblems(rule.of, item, `${key}[${index}]`));
  if (rule.once !== undefined) found.push(...repeated(items, rule.once, key));
  const more = found.length - MAX_LISTED;
  return more > 0 ? [...found.slice(0, MAX_LISTED), `and ${more} more problems in ${key}`] : found;
}

function passes(rule: Rule, value: unknown): boolean {
  switch (rule.type) {
    case 'text':
      return typeof value === 'string' && matchesText(rule, value);
    case 'number':
      return typeof value === 'number' && value >= rule.from && value <= (rule.to ?? value) && (!rule.whole || value % 1 === 0);
    case 'boolean':
      return typeof value === 'boolean';
    case 'choice':
      return typeof value === 'string' && rule.of.includes(value);
    case 'list':
      return Array.isArray(value) && value.length >= (rule.min ?? 0) && value.length <= (rule.max ?? value.length);
    case 'object':
      return false;
  }
}

function matchesText({ pattern, maxLength }: { pattern?: string; maxLength?: number }, text: string): boolean {
  if (maxLength !== undefined && text.length > maxLength) return false;
  return pattern === undefined ? text !== '' : new RegExp(`^(?:${pattern})$`).test(text);
}

function chosen(rule: Rule, value: unknown): unknown {
  return value === undefined && rule.type === 'choice' ? rule.default : value;
}

function repeated(items: readonly unknown[], key: string, path: string): string[] {
  const names = items.map((item) => (isRecord(item) ? item[key] : undefined)).filter((name) => typeof name === 'string');
  const seen = new Set<unknown>();
  const duplicates = new Set(names.filter((name) => seen.size === seen.add(name).size));
  return [...duplicates].map((name) => `${path} has ${quoted(name)} twice`);
}

function quoted(value: unknown): string {
  if (typeof value === 'string') {
    const characters = [...value];
    return JSON.stringify(characters.length > MAX_VALUE_LENGTH ? `${characters.slice(0, MAX_VALUE_LENGTH).join('')}…` : value);
  }
  if (Array.isArray(value)) return 'a list';
  return isRecord(value) ? 'an object' : (JSON.stringify(value) ?? 'nothing');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/*
 * The kinds of rules, each with its message.
 */

type Options<Own = unknown> = Partial<Common> & Own;

export function text({
  wrong = '{key} must be a text',
  ...options
}: Options<{ pattern?: string; maxLength?: number }> = {}): Rule {
  return { type: 'text', wrong, ...options };
}

export function numberFrom(from: number, to: number, options: Options<{ whole?: boolean }> = {}): Rule {
  return { type: 'number', from, to, wrong: `{key} must be a number from ${from} to ${to}`, ...options } as Rule;
}

export function yesOrNo({ wrong = '{key} must be true or false', ...options }: Options = {}): Rule {
  return { type: 'boolean', wrong, ...options };
}

export function choiceOf(of: readonly string[], options: Options<{ default?: string }> = {}): Rule {
  const { wrong = `{key} must be one of ${of.join(', ')}, not {value}`, ...others } = options;
  return { type: 'choice', of, wrong, ...others };
}

export function listOf(of: Rule, wrong: string, options: Options<{ once?: string; min?: number }> = {}): ListRule {
  return { type: 'list', of, ...options, wrong };
}

export function objectOf<T>(shape: Shape<T>): Rule {
  return { type: 'object', shape: shape as unknown as Shape, wrong: '{key} must be a JSON object' };
}
