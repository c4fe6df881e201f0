import { parseArgs } from 'node:util';
import { closest } from '../text/closest';

/** An option in a command's declaration, by its long name. */
export interface Option {
  readonly type: 'string' | 'boolean';
  /** One letter. */
  readonly short?: string;
  /** Whether it may be given more than once. */
  readonly multiple?: boolean;
}
export type Options = Readonly<Record<string, Option>>;

/** A parsed command line. The command checks the values. */
export interface CommandLine<Name extends string = string> {
  /** Positional arguments, without the values of unknown options. */
  readonly named: readonly string[];
  /** Problems of the options themselves: unknown, repeated, without a value, or with an unexpected value. */
  readonly problems: readonly string[];
  /** Whether the option is present at all. */
  has(name: Name): boolean;
  flag(name: Name): boolean;
  /** Undefined: absent, or without a value. */
  text(name: Name): string | undefined;
  texts(name: Name): readonly string[];
}

/**
 * Parses a command line without the program's name. Never throws: `problems` has everything that is wrong.
 *
 * @param commands values of `--command`, which may be given as an option of its own by mistake
 */
export function readOptions<T extends Options>(
  argv: readonly string[],
  options: T,
  commands: readonly string[] = [],
): CommandLine<keyof T & string> {
  // Not strict: the strict parser stops at the first problem, and rejects `--revision -1`.
  const given = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const values = given.values as Readonly<Record<string, unknown>>;
  const texts = (name: string) => [values[name]].flat().filter((value): value is string => typeof value === 'string');
  const { tokens } = given;
  return {
    named: tokens.flatMap((token, index) =>
      token.kind === 'positional' && !isValueOfUnknown(tokens[index - 1], options) ? token.value : [],
    ),
    problems: tokens.flatMap((token, index) => problemsOf(token, tokens.slice(0, index), options, commands)),
    has: (name) => values[name] !== undefined,
    flag: (name) => values[name] === true,
    text: (name) => texts(name).at(-1),
    texts,
  };
}

/**
 * The problem of positional arguments in a command that accepts only options.
 *
 * @param commands values of `--command`
 */
export function unexpected(named: readonly string[], commands: readonly string[] = []): string[] {
  return named.map((value) => `unexpected argument ${JSON.stringify(value)}${meaning(commandOption(value, commands))}`);
}

/** Commands of other tools. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  status: 'current',
  show: 'history',
  log: 'history',
  pending: 'plan',
  verify: 'check',
  migrate: 'upgrade',
  up: 'upgrade',
  apply: 'upgrade',
  deploy: 'upgrade',
  down: 'downgrade',
  rollback: 'downgrade',
  revert: 'downgrade',
};

/** The problem of an unknown value of `--command`. */
export function unknownCommand(asked: string, commands: readonly string[]): string {
  const meant = commandFor(asked, commands) ?? closest(asked, commands);
  return `unknown command ${JSON.stringify(asked)}: ${meant ? `did you mean ${meant}?` : `use ${commands.join(', ')}`}`;
}

function commandFor(name: string, commands: readonly string[]): string | undefined {
  return commands.find((command) => command === name || command === ELSEWHERE[name]);
}

function commandOption(name: string, commands: readonly string[]): string | undefined {
  const command = commandFor(name, commands);
  return command && `command ${command}`;
}

function meaning(option: string | undefined): string {
  return option === undefined ? '' : `: did you mean --${option}?`;
}

interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly rawName?: string;
  readonly value?: string | undefined;
}

/** Whether the argument after a token may be its value: an unknown option, unless it is close to one without a value. */
function isValueOfUnknown(token: Token | undefined, options: Options): boolean {
  if (token?.kind !== 'option' || token.value !== undefined || optionNamed(token.name, options)) return false;
  return optionNamed(closest(token.name ?? '', Object.keys(options)), options)?.type !== 'boolean';
}

function optionNamed(name: string | undefined, options: Options): Option | undefined {
  return name !== undefined && Object.hasOwn(options, name) ? options[name] : undefined;
}

function problemsOf(
  { kind, name = '', rawName, value }: Token,
  before: readonly Token[],
  options: Options,
  commands: readonly string[],
): string[] {
  if (kind !== 'option') return [];
  const option = optionNamed(name, options);
  if (!option) {
    return [`unknown option ${rawName}${meaning(commandOption(name, commands) ?? closest(name, Object.keys(options)))}`];
  }
  const isRepeated = !option.multiple && before.some((other) => other.kind === 'option' && other.name === name);
  return [
    ...(option.type === 'string' && (!value || value.startsWith('--')) ? [`${rawName} needs a value`] : []),
    ...(option.type === 'boolean' && value !== undefined ? [`${rawName} takes no value`] : []),
    ...(isRepeated ? [`${rawName} is given twice`] : []),
  ];
}
