import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Severity } from '../../../lib/review/finding';
import { type Example, GIVEN, type Sample, type Script } from './example';

/** One side of an example, with the ids of its revisions. */
export interface Case {
  readonly name: string;
  readonly rule: string;
  readonly severity?: Severity;
  readonly expected: readonly string[];
  readonly revisions: readonly string[];
}

const ENV = `
from alembic import context
from sqlalchemy import create_engine

with create_engine("postgresql+psycopg://nobody@nowhere.invalid/none").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`;

/** Writes an Alembic project in which each side of each example is a branch of its own. */
export function writeProject(folder: string, examples: readonly Example[]): readonly Case[] {
  mkdirSync(path.join(folder, 'alembic', 'versions'), { recursive: true });
  writeFileSync(path.join(folder, 'alembic.ini'), '[alembic]\nscript_location = alembic\n');
  writeFileSync(path.join(folder, 'alembic', 'env.py'), ENV);
  writeFileSync(
    path.join(folder, 'shop.py'),
    'import os\n\nNOBODY = 12\n\ndef admin():\n    return os.environ.get("ADMIN", "")\n',
  );
  writeFileSync(path.join(folder, 'shop_config.py'), 'class settings:\n    admin = "admin"\n');
  return examples.flatMap(({ rule, about, given = GIVEN, bad, severity, good }, at) => {
    const side = (sample: Sample, letter: 'b' | 'g'): Case => {
      const branch = `${letter}${at}`;
      const scripts: readonly Script[] = [{ up: given }, ...sample.revisions];
      scripts.forEach((script, number) => {
        writeRevision(folder, branch, number, unique(script, branch));
      });
      const revisions = sample.revisions.map((_, number) => `${branch}x${number + 1}`);
      const name = [rule, ...(about ? [about] : [])].join(', ');
      const expected = [...(letter === 'b' ? [rule] : []), ...(sample.also ?? [])].sort();
      return { name: `${name} (${letter === 'b' ? 'bad' : 'good'})`, rule, severity, expected, revisions };
    };
    return [...(bad ? [side(bad, 'b')] : []), side(good, 'g')];
  });
}

function unique(script: Script, branch: string): Script {
  const named = (text: string | undefined) => text?.replace(/users|orders|mood/g, (name) => `${name}_${branch}`);
  return { ...script, up: named(script.up) ?? '', down: named(script.down), head: named(script.head) };
}

function writeRevision(folder: string, branch: string, number: number, { up, down, message, head }: Script): void {
  const revision = `${branch}x${number}`;
  const text = `"""${message ?? `Example ${branch}, step ${number}`}"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
${head ?? ''}

revision = "${revision}"
down_revision = ${number === 0 ? 'None' : `"${branch}x${number - 1}"`}
branch_labels = ${number === 0 ? `("${branch}",)` : 'None'}
depends_on = None


def upgrade():
${indented(up)}


def downgrade():
${indented(down ?? 'pass')}
`;
  writeFileSync(path.join(folder, 'alembic', 'versions', `${revision}.py`), text);
}

function indented(code: string): string {
  const lines = code.split('\n').filter((line) => line.trim() !== '');
  const body = lines.map((line) => `    ${line}`).join('\n');
  return lines.every((line) => line.trim().startsWith('#')) ? `${body}\n    pass` : body;
}
