import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type NewMigration, projectDirectory, sampleBackend } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';

/** Of the terminal. */
export const COLUMNS = 108;

/** What a picture shows: safe-alembic on a branch of the sample backend, with one new revision. */
export interface Run {
  /** The picture's name, in docs/. */
  readonly picture: string;
  /** The arguments of safe-alembic. */
  readonly command: string;
  /** The page that the run also writes, in docs/. */
  readonly page?: string;
  readonly revision: NewMigration;
  /** The same change in the models: without it the review would find that they differ. */
  readonly models: readonly (readonly [before: string, after: string])[];
}

const INDEX: Run = {
  picture: 'review.svg',
  command: 'review',
  revision: {
    revision: 'a1b2c3d4e5f6',
    message: 'Index users by full name',
    upgrade: ['op.create_index("ix_users_full_name", "users", ["full_name"])'],
    downgrade: [
      'with op.get_context().autocommit_block():',
      '    op.drop_index("ix_users_full_name", "users", if_exists=True, postgresql_concurrently=True)',
    ],
  },
  models: [
    ['full_name: Mapped[str] = mapped_column(String(200))', 'full_name: Mapped[str] = mapped_column(String(200), index=True)'],
  ],
};

const CHECK: Run = {
  picture: 'fix.svg',
  command: 'review --fix --dry-run',
  page: 'review-example.html',
  revision: {
    revision: 'b2c3d4e5f6a7',
    message: 'Require a title of items',
    upgrade: [`op.create_check_constraint("title_not_empty", "items", "title <> ''")`],
    downgrade: ['op.drop_constraint(op.f("ck_items_title_not_empty"), "items", type_="check")'],
  },
  models: [
    ['import DateTime,', 'import CheckConstraint, DateTime,'],
    [
      '    __tablename__ = "items"\n',
      `    __tablename__ = "items"\n    __table_args__ = (CheckConstraint("title <> ''", name="title_not_empty"),)\n`,
    ],
  ],
};

export const RUNS: readonly Run[] = [INDEX, CHECK];

/** The sample's env.py reads these; the review fills in the address of its own database. */
const ADDRESS = {
  POSTGRES_HOST: 'localhost',
  POSTGRES_PORT: '5432',
  POSTGRES_USER: 'app',
  POSTGRES_PASSWORD: 'app',
  POSTGRES_DB: 'app',
};

/**
 * Runs safe-alembic on a terminal.
 *
 * @param folder is empty, and gets the backend and its repository
 * @param python runs the terminal and the backend
 * @param page path of the page, if the run writes one
 * @returns what the terminal shows, colors included
 */
export async function onTerminal(run: Run, folder: string, python: string, page?: string): Promise<string> {
  const project = await writeProject(run, folder);
  const command = [process.execPath, path.join(projectDirectory, 'dist/bin/safe-alembic.js'), ...run.command.split(' ')];
  const options = ['--python', python, '--no-progress', ...(page ? ['--report', `html=${page}`] : [])];
  const terminal = [path.join(__dirname, 'terminal.py'), String(COLUMNS), ...command, ...options];
  const { stdout } = await mustRun(python, terminal, { env: { ...process.env, ...ADDRESS }, cwd: project });
  return stdout;
}

async function writeProject({ revision, models }: Run, folder: string): Promise<string> {
  const git = (...args: string[]) => mustRun('git', args, { env: process.env, cwd: folder });
  const project = path.join(folder, 'back');
  cpSync(path.join(projectDirectory, 'examples/template-saas/back'), project, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "devDependencies": { "cdk-alembic": "^0.1.0" } }\n');
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  const author = ['-c', 'user.name=you', '-c', 'user.email=you@example.com', '-c', 'commit.gpgsign=false'];
  await git(...author, 'commit', '--quiet', '--message', 'The backend');
  await git('checkout', '--quiet', '-b', 'change');
  sampleBackend(project).writeMigration(revision);
  const file = path.join(project, 'app/models.py');
  const changed = models.reduce((text, [before, after]) => text.replace(before, after), readFileSync(file, 'utf8'));
  writeFileSync(file, changed);
  return project;
}
