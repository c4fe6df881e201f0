import { rmSync } from 'node:fs';
import { EXIT } from '../../contract/exit-codes';
import { MigrateError } from '../../contract/failure';
import { installation } from '../../local/installation';
import { RULES } from '../../review';
import { type FailureDocument, failureDocument } from '../answer/documents';
import { onInterrupt } from '../answer/interrupt';
import { knownFailure } from '../answer/known-failure';
import { showFailure } from '../answer/show-failure';
import { type Screen, screen } from '../screen/screen';
import { count } from '../screen/terminal';
import type { Parsed } from './arguments';
import { printDocument } from './documents';
import { openSession, type Session } from './session';

type Run = Extract<Parsed, { kind: 'run' }>;
type Problems = Extract<Parsed, { kind: 'problems' }>;

/** Runs a verb, and shows why it failed. */
export async function runTask({ common, task }: Run, version: string): Promise<number> {
  const view = screen(common);
  let session: Session | undefined;
  let interrupted = false;
  const stopListening = onInterrupt((alone) => {
    if (interrupted) return;
    interrupted = true;
    removeUnreviewed(session);
    process.exitCode = end(failureDocument(wasInterrupted(session), session?.applied), common.json, view);
    // Code that started a process also listens; it stops the process and exits.
    if (alone) process.exit();
  });
  try {
    const open = () => {
      session = openSession(common, view, version, knownRule);
      return session;
    };
    return await task.run({ common, screen: view, open });
  } catch (error) {
    removeUnreviewed(session);
    if (interrupted) return EXIT.interrupted;
    return end(failureDocument(knownFailure(error), session?.applied), common.json, view);
  } finally {
    stopListening();
  }
}

/** Shows the problems of a command line. */
export function endWithProblems({ verb, problems, json }: Problems): number {
  const error = new MigrateError(
    'invalid_usage',
    problems.join('; '),
    `see ${installation().command} ${verb ? `${verb} ` : ''}--help`,
  );
  return end(failureDocument(error), json, screen({ json, progress: false }));
}

function end(document: FailureDocument, json: boolean, { notes }: Screen): number {
  showFailure(notes, document);
  if (json) printDocument(document);
  return document.exitCode;
}

function removeUnreviewed(session?: Session): void {
  for (const file of session?.unreviewed ?? []) rmSync(file, { force: true });
}

function wasInterrupted(session?: Session): MigrateError {
  if (!session?.changing) return new MigrateError('interrupted', 'nothing was changed', 'run it again');
  const message = `the running revision is rolled back (${count(session.applied.length)} applied before it)`;
  return new MigrateError('interrupted', message, `check the database's revision with \`${installation().command} current\``);
}

/** Whether settings may name a rule: one of ours, or any of squawk's. */
function knownRule(rule: string): boolean {
  return rule.startsWith('squawk-') || RULES.some(({ id }) => id === rule);
}
