import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A small Alembic project of its own, with models and the usual env.py. */
export class Project {
  readonly directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'backend-')));

  constructor() {
    mkdirSync(path.join(this.directory, 'migrations/versions'), { recursive: true });
    this.write('alembic.ini', '[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\npath_separator = os\n');
    this.write('migrations/script.py.mako', TEMPLATE);
    this.write('migrations/env.py', ENV);
    this.models([]);
    this.revision(
      'a1',
      null,
      'Add users table',
      'op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True))',
      'op.drop_table("users")',
    );
  }

  write(file: string, text: string): void {
    writeFileSync(path.join(this.directory, file), text);
  }

  /** The models: a table `users`, with columns. `options` are those of their metadata. */
  models(columns: readonly string[], options = ''): void {
    const all = ['sa.Column("id", sa.BigInteger(), primary_key=True)', ...columns];
    this.write(
      'models.py',
      `import sqlalchemy as sa\n\nmetadata = sa.MetaData(${options})\nsa.Table("users", metadata, ${all.join(', ')})\n`,
    );
  }

  revision(id: string, down: string | null, message: string, upgrade: string, downgrade = 'pass'): void {
    const downRevision = down === null ? 'None' : `"${down}"`;
    const head = `"""${message}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "${id}"\ndown_revision = ${downRevision}\n`;
    const bodies = `\n\ndef upgrade():\n    ${upgrade}\n\n\ndef downgrade():\n    ${downgrade}\n`;
    this.write(`migrations/versions/${id}.py`, head + bodies);
  }

  get revisions(): string[] {
    return readdirSync(path.join(this.directory, 'migrations/versions'))
      .filter((name) => name.endsWith('.py'))
      .sort();
  }

  /** Commits all there is to a branch `main`. */
  commit(): void {
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd: this.directory });
    git('init', '--quiet', '--initial-branch', 'main');
    this.write('.gitignore', '__pycache__\n');
    git('add', '-A');
    git('commit', '--quiet', '--message', 'Start');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

const ENV = `import os

import sqlalchemy as sa
from alembic import context

import models

url = os.environ.get("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
engine = sa.create_engine(url, connect_args={"options": "-c lock_timeout=2s"})
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=models.metadata)
    with context.begin_transaction():
        context.run_migrations()
`;

const TEMPLATE = `"""\${message}"""

import sqlalchemy as sa
from alembic import op

revision = \${repr(up_revision)}
down_revision = \${repr(down_revision)}


def upgrade():
    \${upgrades if upgrades else "pass"}


def downgrade():
    \${downgrades if downgrades else "pass"}
`;
