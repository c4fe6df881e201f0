import { migrateError } from '../../client/errors';
import { RULES } from '../../review';
import { EXIT } from '../answer/exit-codes';
import { showFailure } from '../answer/show-failure';
import { type Screen, screen } from '../screen/screen';
import { count } from '../screen/terminal';
import type { MigrateArguments, ParsedMigrate } from './arguments';
import { MigrateEnd, type MigrateFailureDocument, migrateFailure } from './error';
import type { CarryOut } from './main';
import { type MigrateSession, openSession } from './session';

/** Carries out a verb and says how it failed, if it did. */
export async function runVerb(given: MigrateArguments, version: string, carryOut: CarryOut): Promise<number> {
  const view = screen(given);
  let session: MigrateSession | undefined;
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted) return;
    interrupted = true;
    process.exitCode = end(migrateFailure(wasInterrupted(session), session?.applied ?? []), given, view);
    // Whoever has started something listens too, ends it and exits.
    if (process.listenerCount('SIGINT') === 1) process.exit();
  };
  process.on('SIGINT', interrupt);
  try {
    session = openSession(given, view, version, knownRule);
    return await carryOut(session);
  } catch (error) {
    if (interrupted) return EXIT.interrupted;
    return end(migrateFailure(error, session?.applied ?? []), given, view);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** Says what is wrong with a command line. */
export function endWithProblems({ verb, problems, json }: Extract<ParsedMigrate, { kind: 'problems' }>): number {
  const error = migrateError('invalid_usage', problems.join('; '), `see safe-alembic ${verb ? `${verb} ` : ''}--help`);
  return end(migrateFailure(error, []), { json }, screen({ json, progress: false }));
}

function end(document: MigrateFailureDocument, { json }: Pick<MigrateArguments, 'json'>, { notes }: Screen): number {
  showFailure(notes, document);
  if (json) process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  return document.exitCode;
}

function wasInterrupted(session?: MigrateSession): MigrateEnd {
  if (session?.arguments.verb !== 'apply') return new MigrateEnd('interrupted', 'nothing was changed', 'run it again');
  const message = `the revision that ran is rolled back (${count(session.applied.length)} applied before it)`;
  return new MigrateEnd('interrupted', message, 'see where the database is with `npx safe-alembic current`');
}

/** Whether settings may name a rule: one of ours, or any of squawk's. */
function knownRule(rule: string): boolean {
  return rule.startsWith('squawk-') || RULES.some(({ id }) => id === rule);
}
