/*
 * npm run pictures
 *
 * Draws the picture of README.md: a real review of the sample backend with one more revision, as a terminal shows it.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory, sampleBackend, toolPython, withFolder } from '../examples/local-aws';
import { mustRun } from '../lib/local/processes/run';

const INDEX_USERS = {
  revision: 'a1b2c3d4e5f6',
  message: 'Index users by full name',
  upgrade: ['op.create_index("ix_users_full_name", "users", ["full_name"])'],
  downgrade: [
    'with op.get_context().autocommit_block():',
    '    op.drop_index("ix_users_full_name", "users", if_exists=True, postgresql_concurrently=True)',
  ],
};

/** The same index in the models: without it the review would find that they differ. */
const MODEL = {
  before: 'full_name: Mapped[str] = mapped_column(String(200))',
  after: 'full_name: Mapped[str] = mapped_column(String(200), index=True)',
};

/** The sample's env.py reads these; the review fills in the address of its own database. */
const ADDRESS = {
  POSTGRES_HOST: 'localhost',
  POSTGRES_PORT: '5432',
  POSTGRES_USER: 'app',
  POSTGRES_PASSWORD: 'app',
  POSTGRES_DB: 'app',
};

async function drawReview(folder: string): Promise<void> {
  const project = path.join(folder, 'back');
  cpSync(path.join(projectDirectory, 'examples/template-saas/back'), project, { recursive: true });
  sampleBackend(project).writeMigration(INDEX_USERS);
  const models = path.join(project, 'app/models.py');
  writeFileSync(models, readFileSync(models, 'utf8').replace(MODEL.before, MODEL.after));
  const python = await toolPython('pictures');
  const backendPython = await toolPython('python-tests');
  const picture = path.join(projectDirectory, 'docs/review.svg');
  const command = [process.execPath, path.join(projectDirectory, 'dist/bin/safe-alembic.js'), 'review', INDEX_USERS.revision];
  await mustRun(
    python,
    [
      path.join(__dirname, 'terminal_picture.py'),
      picture,
      'review',
      'npx safe-alembic review',
      ...command,
      '--project',
      project,
      '--python',
      backendPython,
    ],
    { env: { ...process.env, ...ADDRESS }, cwd: project },
  );
}

withFolder(drawReview).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
