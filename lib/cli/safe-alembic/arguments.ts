import { closest } from '../../text/closest';
import { readOptions } from '../options';
import { type CommonArguments, OUTPUT_OPTIONS, PROJECT_OPTIONS, readCommon } from './common';
import type { Task } from './verb';
import { VERB_NAMES, VERBS, type VerbName } from './verbs';

/** A parsed command line; `problems` lists everything that is wrong with it. */
export type Parsed =
  | { readonly kind: 'help'; readonly verb?: VerbName }
  | { readonly kind: 'version' }
  | { readonly kind: 'problems'; readonly verb?: VerbName; readonly problems: readonly string[]; readonly json: boolean }
  | { readonly kind: 'run'; readonly verb: VerbName; readonly common: CommonArguments; readonly task: Task };

/** The verb that corresponds to a command of Alembic or Flask-Migrate. */
const ALEMBIC: Readonly<Record<string, VerbName>> = {
  upgrade: 'apply',
  revision: 'create',
  migrate: 'create',
  check: 'verify',
  heads: 'history',
};

/** Reads a command line without the program's own name. */
export function parseArguments(argv: readonly string[]): Parsed {
  const [first] = argv;
  const verb = VERB_NAMES.find((name) => name === first);
  const { options, standalone = false } = verb ? VERBS[verb] : {};
  const line = readOptions(argv.slice(verb ? 1 : 0), { ...options, ...(standalone ? {} : PROJECT_OPTIONS), ...OUTPUT_OPTIONS });
  if (line.flag('help') || (argv.length === 1 && first === 'help')) return { kind: 'help', verb };
  if (line.flag('version')) return { kind: 'version' };

  const common = readCommon(line);
  if (!verb) return { kind: 'problems', problems: [noVerb(line.named[0])], json: common.json };
  const problems = [...line.problems];
  const task = VERBS[verb].read(line, problems);
  if (problems.length > 0) return { kind: 'problems', verb, problems: [...new Set(problems)], json: common.json };
  return { kind: 'run', verb, common, task };
}

function noVerb(named: string | undefined): string {
  const use = `use ${VERB_NAMES.join(', ')}`;
  if (named === undefined) return `the verb is missing: ${use}`;
  const meant = ALEMBIC[named] ?? closest(named, VERB_NAMES);
  return `unknown verb ${JSON.stringify(named)}: ${meant === undefined ? use : `did you mean ${meant}?`}`;
}
