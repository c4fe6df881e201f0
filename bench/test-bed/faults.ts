import { idOf, type Step, soundModels, soundSteps, writeProject } from './histories';

/** One fault in an otherwise correct history, followed by another revision. */
export interface Fault {
  readonly name: string;
  /** The rule of `safe-alembic review` that finds it. */
  readonly rule: string;
  readonly step: Step;
  /** What is added to the models, as Python; `one` is the first table. */
  readonly models?: string;
  /** Whether the next revision ignores it. */
  readonly forgotten?: boolean;
}

const SOUND = 10;
const TABLE = 'made_001';

const column = (name: string): Step => ({
  upgrade: [`op.add_column("${TABLE}", sa.Column("${name}", sa.Text()))`],
  downgrade: [`op.drop_column("${TABLE}", "${name}")`],
});
const ADDED = 'one.append_column(sa.Column("added", sa.Text()))';
const MORE = 'one.append_column(sa.Column("more", sa.Text()))';

/** The first four are those that pytest-alembic's default tests look for. */
export const FAULTS: readonly Fault[] = [
  { name: 'two heads', rule: 'several-heads', step: column('added'), models: ADDED, forgotten: true },
  {
    name: 'models that have what no revision makes',
    rule: 'drift',
    step: column('added'),
    models: `${ADDED}\n${MORE}`,
  },
  { name: 'an upgrade that fails', rule: 'upgrade-fails', step: column('note') },
  {
    name: 'a downgrade that fails',
    rule: 'downgrade-fails',
    step: { ...column('added'), downgrade: [`op.drop_column("${TABLE}", "another")`] },
    models: ADDED,
  },
  {
    name: 'a downgrade that forgets a column',
    rule: 'reupgrade-fails',
    step: { upgrade: [...column('added').upgrade, ...column('more').upgrade], downgrade: column('added').downgrade },
    models: `${ADDED}\n${MORE}`,
  },
  {
    name: 'a downgrade that leaves something behind',
    rule: 'downgrade-not-restoring',
    step: {
      upgrade: [...column('added').upgrade, 'op.execute("CREATE SEQUENCE IF NOT EXISTS left_over")'],
      downgrade: column('added').downgrade,
    },
    models: ADDED,
  },
  {
    name: 'an index whose build blocks writes',
    rule: 'index-not-concurrent',
    step: {
      upgrade: [`op.create_index("ix_${TABLE}_note", "${TABLE}", ["note"])`],
      downgrade: [`op.drop_index("ix_${TABLE}_note", "${TABLE}")`],
    },
    models: `sa.Index("ix_${TABLE}_note", one.c.note)`,
  },
  {
    name: 'a foreign key that is checked under its lock',
    rule: 'foreign-key-not-valid',
    step: {
      upgrade: [`op.create_foreign_key("fk_${TABLE}_second", "${TABLE}", "made_002", ["other_id"], ["id"])`],
      downgrade: [`op.drop_constraint("fk_${TABLE}_second", "${TABLE}", type_="foreignkey")`],
    },
    models: `one.append_constraint(sa.ForeignKeyConstraint(["other_id"], ["made_002.id"], name="fk_${TABLE}_second", use_alter=True))`,
  },
  {
    name: 'a default that rewrites the table',
    rule: 'table-rewrite',
    step: {
      upgrade: [`op.add_column("${TABLE}", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))`],
      downgrade: [`op.drop_column("${TABLE}", "token")`],
    },
    models: 'one.append_column(sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))',
  },
  {
    name: 'NOT NULL where there are rows',
    rule: 'not-null-on-existing-rows',
    step: {
      upgrade: [`op.alter_column("${TABLE}", "note", nullable=False)`],
      downgrade: [`op.alter_column("${TABLE}", "note", nullable=True)`],
    },
    models: 'one.c.note.nullable = False',
  },
  {
    name: 'rows that are all deleted',
    rule: 'delete-all',
    step: { upgrade: [`op.execute("DELETE FROM ${TABLE}")`], downgrade: ['pass'] },
  },
  {
    name: 'a COMMIT of its own',
    rule: 'raw-commit',
    step: { upgrade: ['op.execute("COMMIT")', ...column('added').upgrade], downgrade: column('added').downgrade },
    models: ADDED,
  },
];

/** Writes a short history with one fault, or with none. Returns the revisions of a pull request that brings it: the fault's and the last. */
export function writeFaulty(directory: string, fault?: Fault): string[] {
  const after: Step = { ...column('last'), after: fault?.forgotten ? idOf(SOUND) : undefined };
  const steps = [...soundSteps(SOUND), ...(fault ? [fault.step] : []), after];
  const models = [
    soundModels(SOUND),
    `one = metadata.tables["${TABLE}"]`,
    fault?.models,
    'one.append_column(sa.Column("last", sa.Text()))',
  ];
  writeProject(directory, steps, `${models.filter(Boolean).join('\n')}\n`);
  return steps.slice(SOUND).map((_, index) => idOf(SOUND + 1 + index));
}
