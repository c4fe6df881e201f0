import type { CommandLine, Options } from '../options';
import type { Session } from './session';

/** Carries out a verb; gives the exit code. */
export type Action<Arguments> = (session: Session, given: Arguments) => Promise<number>;

interface Definition<Arguments> {
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The text of `--help`, without what all verbs share. */
  readonly help: string;
  /** Besides those that all verbs take. */
  readonly options: Options;
  /** Reads what is the verb's own; adds to `problems` all that is wrong with it. */
  read(line: CommandLine, problems: string[]): Arguments;
  /** Loaded when it is carried out: help and mistakes need no parser of SQL. */
  load(): Promise<Action<Arguments>>;
}

/** A verb of `safe-alembic`. */
export interface Verb extends Pick<Definition<unknown>, 'summary' | 'help' | 'options'> {
  read(line: CommandLine, problems: string[]): Task;
}

/** A verb with its arguments, ready to be carried out. */
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
