import { MigrateError } from '../../client/errors';
import type { MigrateAnswer } from '../../contract';
import { readGraph } from '../../local/observe';
import { EXIT } from '../answer/exit-codes';
import { count, plain } from '../screen/terminal';
import { askRunner } from './ask-runner';
import { type MigrateSession, withBackend } from './session';
import { lineage, showGraph } from './show-graph';

/** `safe-alembic history`. That the database can't be asked is a note: the graph is drawn all the same. */
export async function history(session: MigrateSession): Promise<number> {
  const { screen, arguments: given } = session;
  const { data, notes } = screen;
  const [graph, answer] = await withBackend(session, 'own', async ({ observer }) => {
    const read = await readGraph(observer);
    return [
      read,
      read.problem === undefined ? await where(() => askRunner(observer, { command: 'current' })) : undefined,
    ] as const;
  });
  const at = answer instanceof MigrateError ? undefined : answer?.to;
  showGraph(data, graph, at && { at, applied: lineage(graph, at) });
  const heads = graph.heads.length === 1 ? 'one head' : `${graph.heads.length} heads: ${graph.heads.map(plain).join(', ')}`;
  data.line(`${count(graph.revisions.length)}, ${heads}`);
  if (graph.problem !== undefined) notes.warning(`Alembic can't load the revisions: ${graph.problem}`);
  if (answer instanceof MigrateError) notes.warning(`where the database is can't be told: ${answer.message}`);
  else if (answer && answer.unknown.length > 0)
    notes.warning(`the database is at ${answer.unknown.join(', ')}, which is none of these`);
  if (given.json) {
    const document = { graph, ...(at && { database: at }), exitCode: EXIT.done };
    process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  }
  return EXIT.done;
}

async function where(ask: () => Promise<MigrateAnswer>): Promise<MigrateAnswer | MigrateError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof MigrateError) return error;
    throw error;
  }
}
