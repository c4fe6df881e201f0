import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Files of a project, beside alembic.ini and alembic/env.py. */
export type Files = Readonly<Record<string, string>>;

export interface FileExample {
  readonly bad: Files;
  readonly good: Files;
}

/** A revision's file as Alembic needs it: what a template adds is left out. */
function revision(id: string, follows: string, functions = 'def upgrade():\n    pass\n'): Files {
  const text = `from alembic import op\nimport sqlalchemy as sa\n\nrevision = "${id}"\ndown_revision = ${follows}\n\n\n${functions}`;
  return { [`alembic/versions/${id}.py`]: text };
}

const addsNote = (upgrade: string): string => `def upgrade():
${upgrade}


def downgrade():
    op.drop_column("users", "note")
`;
const NOTE = '    op.add_column("users", sa.Column("note", sa.Text()))';
const USERS = `def upgrade():
    op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True))


def downgrade():
    op.drop_table("users")
`;
const MODELS = `from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
users = Table(
    "users",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("note", Text),
)
`;

const two = { ...revision('a1', 'None', USERS), ...revision('b1', '"a1"') };
const branches = { ...two, ...revision('c1', '"a1"') };

/** For each rule that needs several files, those in which it finds something, and those that pass. */
export const FILE_EXAMPLES = {
  'several-heads': { bad: branches, good: { ...two, ...revision('c1', '"b1"') } },
  'orphan-revision': { bad: { ...revision('a1', 'None'), ...revision('b1', '"gone"') }, good: two },
  'merge-does-work': {
    bad: { ...branches, ...revision('d1', '("b1", "c1")', addsNote(NOTE)) },
    good: { ...branches, ...revision('d1', '("b1", "c1")'), ...revision('e1', '"d1"', addsNote(NOTE)) },
  },
  // The base branch has a1 as in `good`.
  'edited-revision': {
    bad: revision('a1', 'None', USERS.replace('primary_key=True', 'primary_key=True), sa.Column("note", sa.Text()')),
    good: { ...revision('a1', 'None', USERS), ...revision('b1', '"a1"', addsNote(NOTE)) },
  },
  drift: {
    bad: { 'models.py': MODELS, ...revision('a1', 'None', USERS) },
    good: { 'models.py': MODELS, ...revision('a1', 'None', USERS), ...revision('b1', '"a1"', addsNote(NOTE)) },
  },
  'drop-due': {
    bad: revision(
      'a1',
      'None',
      USERS.replace('primary_key=True', 'primary_key=True), sa.Column("note_drop_after_20200131", sa.Text()'),
    ),
    good: revision(
      'a1',
      'None',
      USERS.replace('primary_key=True', 'primary_key=True), sa.Column("note_drop_after_29991231", sa.Text()'),
    ),
  },
} as const satisfies Readonly<Record<string, FileExample>>;

export function writeFiles(folder: string, files: Files): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
}
