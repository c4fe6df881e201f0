import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RevisionFacts } from '../../../lib/contract/facts';
import { observe, readGraph } from '../../../lib/local/python/observe';
import { withObserver } from '../../../lib/local/python/with-observer';
import { type Finding, type Review, type ReviewInput, type ReviewOptions, review } from '../../../lib/review';
import { Database } from '../../production/database';
import { usePreloadedPython } from '../../support/python/preloaded-python';
import { CONNECT, env, RUN } from '../examples/env';
import { inFolder } from '../folder';

export const OPTIONS: ReviewOptions = { version: '0.0.0', rules: {}, failOn: 'error' };
export const python = [usePreloadedPython()];

export interface Revision {
  readonly down?: string | readonly string[];
  readonly label?: string;
  readonly message?: string;
  readonly upgrade?: string;
  readonly downgrade?: string;
}

export function write(folder: string, revisions: Readonly<Record<string, Revision>>, script = env(CONNECT, ...RUN)): void {
  mkdirSync(path.join(folder, 'alembic', 'versions'), { recursive: true });
  writeFileSync(path.join(folder, 'alembic.ini'), '[alembic]\nscript_location = alembic\n');
  writeFileSync(path.join(folder, 'alembic', 'env.py'), script);
  for (const [id, { down, label, message, upgrade, downgrade }] of Object.entries(revisions)) {
    const text = `"""${message ?? `Example ${id}`}"""
import sqlalchemy as sa
from alembic import op

revision = "${id}"
down_revision = ${down === undefined ? 'None' : JSON.stringify(down)}
branch_labels = ${label === undefined ? 'None' : JSON.stringify([label])}


def upgrade():
    ${upgrade ?? 'pass'}


def downgrade():
    ${downgrade ?? 'pass'}
`;
    writeFileSync(path.join(folder, 'alembic', 'versions', `${id}.py`), text);
  }
}

export let database: Database;

beforeAll(async () => {
  database = await Database.create();
});

afterAll(() => database.drop());

export interface More extends Partial<Omit<ReviewInput, 'environment' | 'drift'>> {
  readonly options?: ReviewOptions;
  /** Variables that env.py reads. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The review of a project by its graph alone, or with all its revisions replayed. */
export async function reviewed(
  project: string,
  what: 'graph' | 'all',
  { options = OPTIONS, environment = {}, drift = false, ...more }: More & { drift?: boolean } = {},
): Promise<Review> {
  return withObserver(
    { project, python, environment, database: what === 'graph' ? 'own' : { url: database.plainUrl } },
    async ({ observer }) => {
      const graph = await readGraph(observer);
      const revisions = graph.revisions.map(({ revision }) => revision);
      const observed =
        what === 'all' ? await observe(observer, { revisions, drift, overwrite: true }) : { revisions: [] as RevisionFacts[] };
      const input = { graph, unreleased: [], edited: [], started: Date.now(), ...observed, ...more };
      return review(input, options);
    },
  );
}

export async function findings(
  revisions: Readonly<Record<string, Revision>>,
  what: 'graph' | 'all' = 'graph',
  { env: script, ...more }: More & { env?: string } = {},
): Promise<readonly Finding[]> {
  return inFolder(async (folder) => {
    write(folder, revisions, script);
    return (await reviewed(folder, what, more)).findings;
  });
}

export const rules = (found: readonly Finding[]) => found.map(({ rule }) => rule);

/** An env.py with the models of the project. */
export const WITH_MODELS = (() => {
  const own =
    'import sys\nsys.path.insert(0, ".")\ntry:\n    from models import metadata\nexcept ModuleNotFoundError:\n    metadata = None\n';
  return env(own, CONNECT, ...RUN.map((line) => line.replace('=connection', '=connection, target_metadata=metadata')));
})();
