import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { revisionFile } from '../test-bed/histories';
import { type Case, SCHEMA } from './cases';

/** The revision of the case; the one before it makes the schema. */
export const REVISION = 'case';
export const PARENT = 'schema';

/** Writes an Alembic project with one case. */
export function writeCase(directory: string, { name, upgrade, downgrade = 'pass' }: Case): void {
  const versions = path.join(directory, 'migrations/versions');
  mkdirSync(versions, { recursive: true });
  const files: Record<string, string> = {
    'alembic.ini': '[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\npath_separator = os\n',
    // The models are not part of a case.
    'cdk-alembic.json': JSON.stringify({ rules: { drift: 'off' } }),
    'models.py':
      'import sqlalchemy as sa\n\nmetadata = sa.MetaData()\nsa.Table("audits", metadata, sa.Column("id", sa.BigInteger, primary_key=True))\n',
    'migrations/env.py': ENV,
    'migrations/versions/schema.py': revision(
      PARENT,
      undefined,
      'Start',
      `op.execute("""\n${readFileSync(SCHEMA, 'utf8')}""")`,
      'pass',
    ),
    'migrations/versions/case.py': revision(REVISION, PARENT, name, upgrade, downgrade),
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(directory, file), text);
}

/** A revision from Python statements. */
function revision(id: string, previous: string | undefined, description: string, upgrade: string, downgrade: string): string {
  const step = { upgrade: upgrade.split('\n'), downgrade: downgrade.split('\n') };
  return revisionFile(id, previous, description, step, 'import sqlalchemy.dialects.postgresql\n');
}

const ENV = `import os

from alembic import context
from models import metadata
from sqlalchemy import create_engine

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(os.environ["DATABASE_URL"], connect_args={"options": "-c lock_timeout=2s"}).connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
`;
