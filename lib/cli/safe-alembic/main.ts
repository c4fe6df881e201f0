import { EXIT } from '../../contract/exit-codes';
import { parseArguments } from './arguments';

/**
 * The command `safe-alembic`.
 *
 * @param argv the command line without the program's own name
 * @param version of the package
 * @returns the exit code
 */
export async function safeAlembic(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(argv);
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
      const { endWithProblems } = await import('./run.js');
      return endWithProblems(parsed);
    }
    case 'run': {
      const { runTask } = await import('./run.js');
      return runTask(parsed, version);
    }
  }
}
