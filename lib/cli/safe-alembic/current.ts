import { answerDocument } from '../answer/documents';
import { EXIT } from '../answer/exit-codes';
import { showAnswer } from '../answer/show-answer';
import { askRunner } from './ask-runner';
import { type MigrateSession, withBackend } from './session';

/** `safe-alembic current` */
export async function current(session: MigrateSession): Promise<number> {
  const { screen, arguments: given } = session;
  const answer = await withBackend(session, 'own', ({ observer }) => askRunner(observer, { command: 'current' }));
  showAnswer(screen, answer);
  if (given.json) process.stdout.write(`${JSON.stringify(answerDocument(answer), undefined, 2)}\n`);
  return EXIT.done;
}
