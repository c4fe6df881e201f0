import type { CommandLine, Options } from '../options';
import type { Session } from './session';

/** Runs a verb and returns the exit code. */
export type Action<Arguments> = (session: Session, given: Arguments) => Promise<number>;

interface Definition<Arguments> {
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The text of `--help`, without the parts that all verbs share. */
  readonly help: string;
  /** In addition to the common options. */
  readonly options: Options;
  /** Reads the verb's own options; adds everything that is wrong to `problems`. */
  read(line: CommandLine, problems: string[]): Arguments;
  /** Loads the action. Called only to run it: help and usage errors do not need the SQL parser. */
  load(): Promise<Action<Arguments>>;
}

/** A verb of `safe-alembic`. */
export interface Verb extends Pick<Definition<unknown>, 'summary' | 'help' | 'options'> {
  read(line: CommandLine, problems: string[]): Task;
}

/** A verb with its arguments, ready to run. */
export interface Task {
  readonly given: unknown;
  run(session: Session): Promise<number>;
}

export function defineVerb<Arguments>({ read, load, ...about }: Definition<Arguments>): Verb {
  return {
    ...about,
    read: (line, problems) => {
      const given = read(line, problems);
      return { given, run: async (session) => (await load())(session, given) };
    },
  };
}
