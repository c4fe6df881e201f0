import { EXIT } from '../../../contract/exit-codes';
import { MigrateError } from '../../../contract/failure';
import { readGraph } from '../../../local/python/observe';
import { count, plain } from '../../screen/terminal';
import { answerOrFailure, askRunner } from '../ask-runner';
import { printDocument } from '../documents';
import { type Session, withOwnDatabase } from '../session';
import { lineage, showGraph } from './show-graph';

/** Draws the graph. If the database is not reachable, a warning says so. */
export async function history(session: Session): Promise<number> {
  const { common } = session;
  const { data, notes } = session.screen;
  const [graph, answer] = await withOwnDatabase(session, async ({ observer }) => {
    const read = await readGraph(observer);
    return [
      read,
      read.problem === undefined ? await answerOrFailure(askRunner(observer, { command: 'current' })) : undefined,
    ] as const;
  });
  const at = answer instanceof MigrateError ? undefined : answer?.to;
  showGraph(data, graph, at && { at, applied: lineage(graph, at) });
  const heads = graph.heads.length === 1 ? 'one head' : `${graph.heads.length} heads: ${graph.heads.map(plain).join(', ')}`;
  data.line(`${count(graph.revisions.length)}, ${heads}`);
  if (graph.problem !== undefined) notes.warning(`Alembic can't load the revisions: ${graph.problem}`);
  if (answer instanceof MigrateError) notes.warning(`the database's revision could not be determined: ${answer.message}`);
  else if (answer && answer.unknown.length > 0)
    notes.warning(`the database is at ${answer.unknown.join(', ')}, which this project does not have`);
  if (common.json) {
    printDocument({ history: 1, graph, ...(at && { database: at }), exitCode: EXIT.done });
  }
  return EXIT.done;
}
