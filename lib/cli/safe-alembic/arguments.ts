import { closest } from '../closest';
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

/** What does the same as a command of Alembic or Flask-Migrate. */
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
  if (!verb) {
    const [named] = line.named;
    const meant = named === undefined ? undefined : (ALEMBIC[named] ?? closest(named, VERB_NAMES));
    const asked = named === undefined ? 'the verb is missing' : `unknown verb ${JSON.stringify(named)}`;
    const use = meant === undefined ? `use ${VERB_NAMES.join(', ')}` : `did you mean ${meant}?`;
    return { kind: 'problems', problems: [`${asked}: ${use}`], json: common.json };
  }
  const problems = [...line.problems];
  const task = VERBS[verb].read(line, problems);
  if (problems.length > 0) return { kind: 'problems', verb, problems: [...new Set(problems)], json: common.json };
  return { kind: 'run', verb, common, task };
}
