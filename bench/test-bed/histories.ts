import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** One step of a history, as Python: what upgrade() and downgrade() do, and the table of the models that it belongs to. */
export interface Step {
  readonly upgrade: readonly string[];
  readonly downgrade: readonly string[];
  /** The id of the previous revision, if it is not the previous step. */
  readonly after?: string;
}

const TEMPLATE = path.join(__dirname, '..', 'project');

/** Safe revisions for one table after another: five each, with the table and its later changes. */
const STEPS_OF_A_TABLE = 5;

/** The id of the revision of this number; the first is 1. */
export function idOf(number: number): string {
  return `c${number.toString(16).padStart(11, '0')}`;
}

/** The first revisions of a history without faults: tables, columns, indexes and foreign keys. */
export function soundSteps(count: number): Step[] {
  const tables = Array.from({ length: count / STEPS_OF_A_TABLE }, (_, index) => index + 1);
  return tables.flatMap((number) => stepsOf(tableName(number), tableName(Math.max(1, number - 1))));
}

function tableName(number: number): string {
  return `made_${String(number).padStart(3, '0')}`;
}

function stepsOf(table: string, other: string): Step[] {
  const concurrently = (...lines: string[]) => [
    'with op.get_context().autocommit_block():',
    ...lines.map((line) => `    ${line}`),
  ];
  const columns = ['name', 'other_id'];
  return [
    {
      upgrade: [
        `op.create_table("${table}",`,
        '    sa.Column("id", sa.BigInteger(), nullable=False),',
        '    sa.Column("name", sa.String(100), nullable=False),',
        '    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),',
        `    sa.PrimaryKeyConstraint("id", name="pk_${table}"),`,
        ')',
      ],
      downgrade: [`op.drop_table("${table}")`],
    },
    {
      upgrade: [
        `op.add_column("${table}", sa.Column("note", sa.Text()))`,
        `op.add_column("${table}", sa.Column("other_id", sa.BigInteger()))`,
      ],
      downgrade: [`op.drop_column("${table}", "other_id")`, `op.drop_column("${table}", "note")`],
    },
    {
      upgrade: concurrently(
        ...columns.map(
          (column) => `op.create_index("ix_${table}_${column}", "${table}", ["${column}"], postgresql_concurrently=True)`,
        ),
      ),
      downgrade: concurrently(
        ...columns.map(
          (column) => `op.drop_index("ix_${table}_${column}", "${table}", postgresql_concurrently=True, if_exists=True)`,
        ),
      ),
    },
    {
      upgrade: [
        `op.create_foreign_key("fk_${table}_other", "${table}", "${other}", ["other_id"], ["id"], postgresql_not_valid=True)`,
      ],
      downgrade: [`op.drop_constraint("fk_${table}_other", "${table}", type_="foreignkey")`],
    },
    { upgrade: [`op.execute("ALTER TABLE ${table} VALIDATE CONSTRAINT fk_${table}_other")`], downgrade: ['pass'] },
  ];
}

/** The models that a history of that many sound steps leads to. */
export function soundModels(count: number): string {
  return `import sqlalchemy as sa

metadata = sa.MetaData()
tables = [f"made_{number:03}" for number in range(1, ${count / STEPS_OF_A_TABLE + 1})]
for table, other in zip(tables, [tables[0], *tables]):
    sa.Table(
        table,
        metadata,
        sa.Column("id", sa.BigInteger()),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("other_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["other_id"], [f"{other}.id"], name=f"fk_{table}_other"),
        sa.Index(f"ix_{table}_name", "name"),
        sa.Index(f"ix_{table}_other_id", "other_id"),
    )
`;
}

/** Writes a project with a history, for any tool that knows Alembic. */
export function writeProject(directory: string, steps: readonly Step[], models: string): void {
  cpSync(TEMPLATE, directory, { recursive: true });
  writeFileSync(path.join(directory, 'models.py'), models);
  writeVersions(path.join(directory, 'migrations', 'versions'), steps);
}

/** Writes the revisions of a history into a new folder. */
export function writeVersions(versions: string, steps: readonly Step[]): void {
  mkdirSync(versions);
  steps.forEach((step, index) => {
    const [id, previous] = [idOf(index + 1), step.after ?? (index ? idOf(index) : undefined)];
    const text = revisionFile(id, previous, `Take step ${index + 1} of the generated history`, step);
    writeFileSync(path.join(versions, `${id}_step_${index + 1}_of_the_history.py`), text);
  });
}

/** A revision's file. @param more imports besides sqlalchemy and op */
export function revisionFile(
  id: string,
  previous: string | undefined,
  description: string,
  { upgrade, downgrade }: Pick<Step, 'upgrade' | 'downgrade'>,
  more = '',
): string {
  const body = (lines: readonly string[]) => lines.map((line) => `    ${line}`.trimEnd()).join('\n');
  return `"""${description}"""

import sqlalchemy as sa
${more}from alembic import op

revision = "${id}"
down_revision = ${previous ? `"${previous}"` : 'None'}


def upgrade() -> None:
${body(upgrade)}


def downgrade() -> None:
${body(downgrade)}
`;
}
