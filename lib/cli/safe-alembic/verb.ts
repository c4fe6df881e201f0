import type { CommandLine, Options } from '../options';
import type { Session, Started } from './session';

/** Runs a verb in a project, or without one, and returns the exit code. */
export type Action<Arguments, In = Session> = (session: In, given: Arguments) => Promise<number>;

interface Definition<Arguments, In = Session> {
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The text of `--help`, without the parts that all verbs share. */
  readonly help: string;
  /** In addition to the common options. */
  readonly options: Options;
  /** Reads the verb's own options; adds everything that is wrong to `problems`. */
  read(line: CommandLine, problems: string[]): Arguments;
  /** Loads the action. Called only to run it: help and usage errors do not need the SQL parser. */
  load(): Promise<Action<Arguments, In>>;
}

/** A verb of `safe-alembic`. */
export interface Verb extends Pick<Definition<unknown>, 'summary' | 'help' | 'options'> {
  /** Whether it needs no project. */
  readonly standalone: boolean;
  read(line: CommandLine, problems: string[]): Task;
}

/** A verb with its arguments, ready to run. */
export interface Task {
  readonly given: unknown;
  run(started: Started): Promise<number>;
}

/** A verb that works in a project. */
export function defineVerb<Arguments>(definition: Definition<Arguments>): Verb {
  return verb(definition, false, (started) => started.open());
}

/** A verb that needs no project. */
export function defineStandaloneVerb<Arguments>(definition: Definition<Arguments, Started>): Verb {
  return verb(definition, true, (started) => started);
}

function verb<Arguments, In>(
  { read, load, ...about }: Definition<Arguments, In>,
  standalone: boolean,
  open: (started: Started) => In,
): Verb {
  return {
    ...about,
    standalone,
    read: (line, problems) => {
      const given = read(line, problems);
      return {
        given,
        run: async (started) => {
          const session = open(started);
          return (await load())(session, given);
        },
      };
    },
  };
}
