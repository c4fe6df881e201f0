import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observe, readGraph } from '../../lib/local/python/observe';
import { withObserver } from '../../lib/local/python/with-observer';
import { type Review, review } from '../../lib/review';
import { Database } from '../production/database';
import { needed } from '../production/environment';
import { type Block, blocks, textOf } from './pages';

const ENV_PY = `from alembic import context
from sqlalchemy import create_engine

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
`;
/** Rows for every later revision of the page. */
const SEED =
  "INSERT INTO users (email, name) SELECT 'user' || n || '@example.org', 'User ' || n FROM generate_series(1, 25000) AS n";

const history = blocks('python', ['docs/create.md']);

function idOf(block: Block | undefined): string | undefined {
  return block && `line${block.line}`;
}

/** What a block stands under, such as `Add a table`: a description that says something. */
function headingOf({ page, line }: Block): string {
  const before = textOf(page).split('\n').slice(0, line);
  return `${before.findLast((text) => text.startsWith('### '))?.slice(4)} of the page`;
}

/** A revision's file, as the page's blocks are written to follow each other. */
function fileOf(block: Block, before: Block | undefined): string {
  return `"""${headingOf(block)}"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "${idOf(block)}"
down_revision = ${before ? `"${idOf(before)}"` : 'None'}


${block.code}`;
}

/** What the observer sees of the whole history. */
function replay(project: string) {
  const python = [needed('RUNNER_PYTHON')];
  return withObserver({ project, python, database: 'scratch' }, async ({ observer }) => {
    const graph = await readGraph(observer);
    const revisions = graph.revisions.map(({ revision }) => revision);
    return { graph, ...(await observe(observer, { revisions, drift: false })) };
  });
}

describe('with the patterns of docs/create.md as one history', () => {
  let folder: string;
  let database: Database;
  let outcomes: Record<string, string>;

  beforeAll(async () => {
    database = await Database.create();
    folder = mkdtempSync(join(tmpdir(), 'docs-'));
    mkdirSync(join(folder, 'alembic/versions'), { recursive: true });
    const ini = `[alembic]\nscript_location = %(here)s/alembic\nsqlalchemy.url = ${database.url.replaceAll('%', '%%')}\n`;
    writeFileSync(join(folder, 'alembic.ini'), ini);
    writeFileSync(join(folder, 'alembic/env.py'), ENV_PY);
    for (const [index, block] of history.entries()) {
      writeFileSync(join(folder, `alembic/versions/${idOf(block)}.py`), fileOf(block, history[index - 1]));
    }
    const args = [join(__dirname, 'apply.py'), join(folder, 'alembic.ini'), SEED];
    const run = spawnSync(needed('RUNNER_PYTHON'), args, {
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    if (run.status !== 0) throw new Error(run.stderr);
    outcomes = JSON.parse(run.stdout);
  });
  afterAll(async () => {
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(history.map((block) => [block.line, block] as const))('the revision of line %d goes up, down and up', (_, block) => {
    expect(outcomes[`${idOf(block)}`]).toBe('applied');
  });

  test('existing rows are filled', async () => {
    const rows = await database.rows(
      "SELECT count(*)::int FROM users WHERE full_name LIKE 'User %' AND state = 'active' AND is_active",
    );
    expect(rows).toEqual([[25000]]);
  });

  describe('reviewed, each as a separate release', () => {
    let reviews: Map<string, Review>;
    beforeAll(async () => {
      const { graph, revisions } = await replay(folder);
      const options = { version: '0.0.0', rules: {}, failOn: 'error' } as const;
      reviews = new Map();
      for (const revision of revisions) {
        const input = { graph, revisions: [revision], unreleased: [revision.revision], edited: [], started: Date.now() };
        reviews.set(revision.revision, await review(input, options));
      }
    });

    test.each(history.map((block) => [block.line, block] as const))('the revision of line %d has no error', (_, block) => {
      const { findings, summary } = reviews.get(`${idOf(block)}`) as Review;
      expect(findings.filter(({ severity, acknowledged }) => severity === 'error' && acknowledged === undefined)).toEqual([]);
      expect(summary.replayed).toBe(1);
    });

    test('every acknowledgement on the page is needed', () => {
      const findings = [...reviews.values()].flatMap((one) => one.findings);
      expect(findings.filter(({ rule }) => rule === 'unused-acknowledgement')).toEqual([]);
    });
  });

  test('no index or constraint stays invalid', async () => {
    await expect(database.rows('SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid')).resolves.toEqual([]);
  });
});

test('the page has more than 15 patterns', () => {
  expect(history.length).toBeGreaterThan(15);
});
