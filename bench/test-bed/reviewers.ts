import path from 'node:path';
import { projectDirectory, toolPython } from '../../examples/local-aws';
import type { Review } from '../../lib/review';
import type { Variant } from '../row';
import type { Database } from './database';
import { announce, type Command, type TestBed } from './test-bed';

/** The tools that check a project's whole history, in one Python environment. */
export interface Reviewers {
  review(project: string, ...options: string[]): Command;
  pytest(project: string): Command;
  alembic(project: string, database: Database): Command;
}

export async function reviewers(testBed: TestBed): Promise<Reviewers> {
  const python = await toolPython('reviewers', announce);
  const { postgres } = testBed;
  // SQLAlchemy's own name for the driver that is installed.
  const at = (name: string) => ({
    DATABASE_URL: postgres.url(name).replace(/^\w+:/, 'postgresql+psycopg2:'),
    // As most have it: set, it says where a scratch server's files belong.
    TMPDIR: undefined,
  });
  const program = path.join(projectDirectory, 'dist/bin/safe-alembic.js');
  return {
    review: (project, ...options) => ({
      command: process.execPath,
      args: [program, 'review', '--json', '--no-progress', '--python', python, ...options],
      cwd: project,
      env: at('postgres'),
    }),
    pytest: (project) => ({
      command: python,
      args: ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'],
      cwd: project,
      env: at('postgres'),
    }),
    alembic: (project, { name }) => ({
      command: path.join(path.dirname(python), 'alembic'),
      args: ['upgrade', 'head'],
      cwd: project,
      env: at(name),
    }),
  };
}

/** The tests that pytest-alembic has by default. */
const DEFAULT_TESTS = 4;

/** Fails unless the review ran every revision up and down and found nothing. */
export function expectClean(stdout: string, revisions: number): void {
  const { summary, findings } = JSON.parse(stdout) as Review;
  if (summary.replayed !== revisions) throw new Error(`${summary.replayed} revisions were replayed instead of ${revisions}`);
  if (findings.length) throw new Error(`a finding in a correct history: ${JSON.stringify(findings[0])}`);
}

/** Fails unless all of pytest-alembic's tests have run and passed. */
export function expectPassed(stdout: string): void {
  if (!new RegExp(`^${DEFAULT_TESTS} passed\\b`, 'm').test(stdout)) throw new Error(`pytest said:\n${stdout}`);
}

/** The whole history by pytest-alembic. */
export function byPytestAlembic(testBed: TestBed, { pytest }: Reviewers, project: string): Variant {
  return {
    name: 'pytest-alembic',
    run: async () => {
      const { ms, stdout } = await testBed.timed(pytest(project));
      expectPassed(stdout);
      return ms;
    },
  };
}
