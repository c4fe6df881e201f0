import { EXIT } from '../../../contract/exit-codes';
import { answerDocument } from '../../answer/documents';
import { showAnswer } from '../../answer/show-answer';
import { askRunner } from '../ask-runner';
import { printDocument } from '../documents';
import { type Session, withOwnDatabase } from '../session';

/** Shows the revision of the project's own database. */
export async function current(session: Session): Promise<number> {
  const { screen, common } = session;
  const answer = await withOwnDatabase(session, ({ observer }) => askRunner(observer, { command: 'current' }));
  showAnswer(screen, answer);
  if (common.json) printDocument(answerDocument(answer));
  return EXIT.done;
}
