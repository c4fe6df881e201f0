import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalAws } from './local-aws';
import { projectDirectory } from './tools';

/** A revision to write into the backend's `alembic/versions`, after the existing ones. */
export interface NewMigration {
  readonly revision: string;
  readonly message: string;
  /** Lines of Python. */
  readonly upgrade: readonly string[];
  readonly downgrade?: readonly string[];
}

/** A copy of the sample backend that can be changed. */
export interface SampleBackend {
  readonly directory: string;
  /** Revision ids from the first to the newest. */
  revisions(): string[];
  /** Adds a migration, or rewrites the same revision. Returns its path inside the backend. */
  writeMigration(migration: NewMigration): string;
  removeMigration(revision: string): void;
}

/** Copies the sample backend into the local AWS's folder and locks its dependencies. */
export async function copySampleBackend(aws: LocalAws, name: string): Promise<SampleBackend> {
  const directory = path.join(aws.folder, name);
  const made = new Set(['.venv', '.pytest_cache', '.ruff_cache', '__pycache__']);
  cpSync(path.join(projectDirectory, 'examples/template-saas/back'), directory, {
    recursive: true,
    filter: (source) => !made.has(path.basename(source)),
  });
  const locked = await aws.run('uv', ['lock', '--directory', directory]);
  if (locked.code !== 0) throw new Error(`uv can't lock the dependencies of the sample backend:\n${locked.output}`);
  return sampleBackend(directory);
}

/** A copy of an existing backend. */
export function sampleBackend(directory: string): SampleBackend {
  const versions = path.join(directory, 'alembic', 'versions');
  const fileOf = (revision: string): string | undefined => readdirSync(versions).find((name) => name.includes(`-${revision}_`));

  const revisions = (): string[] => {
    const after = new Map<string, string>();
    for (const name of readdirSync(versions).filter((file) => file.endsWith('.py'))) {
      const text = readFileSync(path.join(versions, name), 'utf8');
      after.set(match(text, /^down_revision.*= (?:"(\w+)"|None)/m) ?? '', match(text, /^revision.*= "(\w+)"/m) ?? '');
    }
    const ordered: string[] = [];
    for (let next = after.get(''); next; next = after.get(next)) ordered.push(next);
    return ordered;
  };

  return {
    directory,
    revisions,
    writeMigration(migration) {
      const { revision, message } = migration;
      const known = revisions();
      const previous = known.includes(revision) ? known[known.indexOf(revision) - 1] : known.at(-1);
      const slug = message.toLowerCase().replaceAll(/\W+/g, '_');
      const file = path.join(versions, fileOf(revision) ?? `2026_06_01_0900-${revision}_${slug}.py`);
      writeFileSync(file, migrationText(migration, previous as string));
      return path.relative(directory, file);
    },
    removeMigration(revision) {
      rmSync(path.join(versions, fileOf(revision) as string));
    },
  };
}

function migrationText({ revision, message, upgrade, downgrade = ['pass'] }: NewMigration, previous: string): string {
  const indented = (lines: readonly string[]): string => lines.map((line) => `    ${line}`).join('\n');
  return `"""${message}

Revision ID: ${revision}
Revises: ${previous}
"""

import sqlalchemy as sa
from alembic import op

revision: str = "${revision}"
down_revision: str | None = "${previous}"
branch_labels = None
depends_on = None


def upgrade() -> None:
${indented(upgrade)}


def downgrade() -> None:
${indented(downgrade)}
`;
}

function match(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}
