import { askRunner } from './ask-runner';
import { answerDocument } from './documents';
import { EXIT } from './exit-codes';
import { type MigrateSession, withBackend } from './migrate-session';
import { showAnswer } from './show-answer';

/** `migrate current` */
export async function current(session: MigrateSession): Promise<number> {
  const { screen, arguments: given } = session;
  const answer = await withBackend(session, 'own', ({ observer }) => askRunner(observer, { command: 'current' }));
  showAnswer(screen, answer);
  if (given.json) process.stdout.write(`${JSON.stringify(answerDocument(answer), undefined, 2)}\n`);
  return EXIT.done;
}
