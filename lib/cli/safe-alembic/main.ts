import { EXIT } from '../answer/exit-codes';
import { type MigrateArguments, parseMigrateArguments, type Verb } from './arguments';
import type { MigrateSession } from './session';

/** What carries out a verb; gives the exit code. */
export type CarryOut = (session: MigrateSession) => Promise<number>;

/**
 * Loaded when it is asked for: the help and the reading verbs need no parser of SQL.
 * An `import()` needs the extension that the built file has.
 */
const CARRY_OUT: Record<Verb, () => Promise<CarryOut>> = {
  create: async () => (await import('./create.js')).create,
  review: async () => (await import('./review.js')).review,
  apply: async () => (await import('./apply.js')).apply,
  verify: async () => (await import('./verify.js')).verify,
  current: async () => (await import('./current.js')).current,
  history: async () => (await import('./history.js')).history,
};

/**
 * The command `safe-alembic`.
 *
 * @param argv the command line without the program's own name
 * @param version of the package
 * @returns the exit code
 */
export async function safeAlembic(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseMigrateArguments(argv);
  switch (parsed.kind) {
    case 'help': {
      const { HELP, helpOf } = await import('./help.js');
      process.stdout.write(parsed.verb ? helpOf(parsed.verb) : HELP);
      return EXIT.done;
    }
    case 'version':
      process.stdout.write(`${version}\n`);
      return EXIT.done;
    case 'problems': {
      const { endWithProblems } = await import('./run-verb.js');
      return endWithProblems(parsed);
    }
    case 'run':
      return run(parsed, version);
  }
}

async function run(given: MigrateArguments, version: string): Promise<number> {
  const [{ runVerb }, carryOut] = await Promise.all([import('./run-verb.js'), CARRY_OUT[given.verb]()]);
  return runVerb(given, version, carryOut);
}
