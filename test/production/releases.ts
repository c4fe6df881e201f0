import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BACKEND_DIRECTORY } from '../../lib/contract';
import { needed } from './environment';

/** SQL of each revision by its id, in order. */
export type Revisions = Readonly<Record<string, string>>;

/** Packages of the function as Lambda unpacks them: our runner, and a backend with Alembic's own env.py. */
export class Releases {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'releases-'));
  private number = 0;

  /** A release whose scripts are these. @returns its folder */
  make(databaseUrl: string, revisions: Revisions): string {
    this.number += 1;
    const root = path.join(this.folder, String(this.number));
    cpSync(this.runner(), path.join(root, 'cdk_alembic'), { recursive: true });
    const backend = path.join(root, BACKEND_DIRECTORY);
    cpSync(this.alembicProject(), backend, { recursive: true });
    const ini = path.join(backend, 'alembic.ini');
    writeFileSync(ini, readFileSync(ini, 'utf8').replace(/^sqlalchemy\.url = .*/m, `sqlalchemy.url = ${escaped(databaseUrl)}`));
    let down: string | undefined;
    for (const [revision, sql] of Object.entries(revisions)) {
      writeFileSync(path.join(backend, 'alembic/versions', `${revision}.py`), script(revision, down, sql));
      down = revision;
    }
    return root;
  }

  /** A release without the runner's modules: Lambda can't load the handler. */
  makeBroken(): string {
    return mkdtempSync(path.join(this.folder, 'broken-'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** The runner with the bytecode that a package has: each process would compile it otherwise. */
  private runner(): string {
    const runner = path.join(this.folder, 'runner');
    if (existsSync(runner)) return runner;
    cpSync(path.join(__dirname, '../../lambda/migrate/cdk_alembic'), runner, {
      recursive: true,
      filter: (source) => !source.endsWith('__pycache__'),
    });
    const compile = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', runner];
    execFileSync(needed('RUNNER_PYTHON'), compile, { stdio: 'pipe' });
    return runner;
  }

  /** What `alembic init` makes. */
  private alembicProject(): string {
    const project = path.join(this.folder, 'project');
    mkdirSync(project, { recursive: true });
    if (readdirSync(project).length === 0) {
      execFileSync(needed('RUNNER_PYTHON'), ['-m', 'alembic', 'init', 'alembic'], { cwd: project, stdio: 'pipe' });
    }
    return project;
  }
}

function escaped(url: string): string {
  return url.replaceAll('%', '%%');
}

/** Each revision writes down that it has run: a second run would be seen, whatever the version table says. */
function script(revision: string, down: string | undefined, sql: string): string {
  return `"""Add ${revision}"""
from alembic import op

revision = "${revision}"
down_revision = ${down === undefined ? 'None' : `"${down}"`}


def upgrade():
    op.execute("CREATE TABLE IF NOT EXISTS ran (revision text)")
    op.execute("INSERT INTO ran VALUES ('${revision}')")
    op.execute(${JSON.stringify(sql)})
`;
}
