import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ReviewOptions } from '../../../lib/review';
import { FILE_EXAMPLES, type FileExample, writeFiles } from '../examples/files';
import { inFolder } from '../folder';
import { findings, type More, OPTIONS, reviewed, rules, WITH_MODELS, write } from './project';

describe('an example of the site', () => {
  it.each(Object.entries<FileExample>(FILE_EXAMPLES))(
    'for %s is found, and the safe version passes',
    async (rule, { bad, good }) => {
      const found = (files: FileExample['bad'], edited: More['edited'] = []) =>
        inFolder(async (folder) => {
          write(folder, {}, WITH_MODELS);
          writeFiles(folder, files);
          const { findings: all } = await reviewed(folder, 'all', { drift: true, edited });
          return rules(all);
        });
      const edited = rule === 'edited-revision' ? [{ file: 'alembic/versions/a1.py', how: 'changed' as const }] : [];
      expect(await found(bad, edited)).toContain(rule);
      expect(await found(good)).not.toContain(rule);
    },
  );
});

describe('one statement', () => {
  it.each([
    ['op.add_column("users", sa.Column("age", sa.Integer))', /: a subscriber stops at the first row that it has no column/],
    ['op.drop_column("users", "name")', /: a subscriber that keeps the column gets no values for it/],
    ['op.alter_column("users", "name", type_=sa.String(9))', /: a subscriber stops at the first value that its own type/],
  ])('that a publication does not replicate says what a subscriber does: %s', async (upgrade, effect) => {
    const users = 'op.execute("CREATE TABLE users (id bigint, name text); CREATE PUBLICATION feed FOR TABLE users")';
    const found = await findings({ a1: { upgrade: users, downgrade: 'pass' }, b1: { down: 'a1', upgrade } }, 'all');
    const said = found
      .filter(({ rule }) => rule === 'published-table-altered')
      .map(({ revision, message }) => [revision, message]);
    expect(said).toEqual([['b1', expect.stringMatching(effect)]]);
  });

  it('that blocks writes also blocks reads, if its transaction has locked the table against reads before', async () => {
    const teams = 'op.execute("CREATE TABLE teams (id bigint PRIMARY KEY)")';
    const users = 'op.execute("CREATE TABLE users (id bigint, team bigint, name text)")';
    const index = 'op.create_index("ix_users_name", "users", ["name"])';
    const key = 'op.create_foreign_key("fk_users_team", "users", "teams", ["team"], ["id"])';
    const b1 = { down: 'a1', upgrade: `${index}\n    ${key}`, downgrade: 'pass' };
    const c1 = {
      down: 'b1',
      upgrade: `op.drop_constraint("fk_users_team", "users")\n    op.drop_index("ix_users_name")\n    ${b1.upgrade}`,
    };
    const found = await findings({ a1: { upgrade: `${teams}\n    ${users}`, downgrade: 'pass' }, b1, c1 }, 'all');
    const said = found
      .filter(({ rule, severity }) => severity === 'error' && /^(?:index-not-concurrent|foreign-key-not-valid)$/.test(rule))
      .map(({ revision, rule, message }) => [revision, rule, message.split('; ').at(-1)]);
    const too = expect.stringMatching(
      /^reads of (?:users|teams) wait too, because line \d+ holds an ACCESS EXCLUSIVE lock on it$/,
    );
    expect(said).toEqual([
      ['b1', 'index-not-concurrent', 'reads continue'],
      ['b1', 'foreign-key-not-valid', 'reads continue'],
      ['c1', 'index-not-concurrent', too],
      ['c1', 'foreign-key-not-valid', too],
    ]);
  });

  it('that loses data and locks has one error for the loss, and a warning for the lock until the loss is acknowledged', async () => {
    const given = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, name varchar(50))")';
    const narrow = 'op.alter_column("t", "name", type_=sa.String(20))';
    const of = async (comment: string) =>
      (await findings({ a1: { upgrade: given }, b1: { down: 'a1', upgrade: `${narrow}${comment}`, downgrade: narrow } }, 'all'))
        .filter(({ revision, acknowledged }) => revision === 'b1' && acknowledged === undefined)
        .map(({ rule, severity }) => `${severity} ${rule}`);
    expect(await of('')).toEqual(expect.arrayContaining(['error narrowing-type', 'warning table-rewrite']));
    expect(await of('  # cdk-alembic: allow narrowing-type: checked')).toContain('error table-rewrite');
  });

  it('that loses data twice has the reason of the comment above each of them', async () => {
    const given = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text, size text)")';
    const drop = (column: string, reason: string) =>
      `# cdk-alembic: allow drop-column: ${reason}\n    op.drop_column("t", "${column}")`;
    const b1 = { down: 'a1', upgrade: `${drop('name', 'moved')}\n    ${drop('size', 'unused')}`, downgrade: 'pass' };
    const found = await findings({ a1: { upgrade: given }, b1 }, 'all');
    const reasons = found.filter(({ rule }) => rule === 'drop-column').map(({ acknowledged }) => acknowledged);
    expect(reasons).toEqual(['moved', 'unused']);
  });

  it('that changes an enum into a text narrows nothing if each label fits', async () => {
    const type = "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'bad')\")";
    const given = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, mood mood)")';
    const narrow = (length: number) => `op.alter_column("t", "mood", type_=sa.String(${length}), postgresql_using="mood::text")`;
    const of = async (length: number) => {
      const b1 = { down: 'a1', upgrade: narrow(length), downgrade: 'raise NotImplementedError' };
      return rules(await findings({ a1: { upgrade: `${type}\n    ${given}` }, b1 }, 'all'));
    };
    expect(await of(4)).not.toContain('narrowing-type');
    expect(await of(3)).toContain('narrowing-type');
  });

  it('that overwrites a column in every row has one error, for the loss', async () => {
    const given = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")';
    const found = await findings(
      { a1: { upgrade: given }, b1: { down: 'a1', upgrade: 'op.execute("UPDATE t SET name = \'x\'")', downgrade: 'pass' } },
      'all',
    );
    const own = found.filter(({ revision, rule }) => revision === 'b1' && ['clear-column', 'update-all'].includes(rule));
    expect(own.map(({ rule, severity }) => `${severity} ${rule}`)).toEqual(['error clear-column', 'warning update-all']);
  });

  it('that drops a table whose schema is in a variable has one finding', async () => {
    const upgrade = 'op.execute(f"DROP TABLE {op.get_bind().scalar(sa.text(\'SELECT lower($$SHOP$$)\'))}.t")';
    const given = 'op.execute("CREATE SCHEMA shop"); op.execute("CREATE TABLE shop.t (id bigint)")';
    const found = await findings(
      { a1: { upgrade: given }, b1: { down: 'a1', upgrade, downgrade: 'raise NotImplementedError' } },
      'all',
    );
    expect(rules(found).filter((rule) => rule === 'drop-table')).toHaveLength(1);
  });
});

describe('the enum types that Alembic remembers', () => {
  it('do not hide that the second upgrade fails', async () => {
    const upgrade = 'op.create_table("t", sa.Column("mood", sa.Enum("good", "bad", name="mood"), nullable=True))';
    const [first] = (await findings({ a1: { upgrade, downgrade: 'op.drop_table("t")' } }, 'all')).filter(
      ({ rule }) => rule === 'reupgrade-fails',
    );
    expect(first).toMatchObject({ severity: 'error', message: expect.stringContaining('mood') });
  });

  it('do not break a correct downgrade', async () => {
    const upgrade = [
      'mood = sa.Enum("good", "bad", name="mood")',
      'mood.create(op.get_bind(), checkfirst=True)',
      'op.create_table("t", sa.Column("mood", sa.Enum("good", "bad", name="mood", create_type=False), nullable=True))',
    ].join('\n    ');
    const downgrade = ['op.drop_table("t")', 'sa.Enum(name="mood").drop(op.get_bind(), checkfirst=True)'].join('\n    ');
    const rules = (await findings({ a1: { upgrade, downgrade } }, 'all')).map(({ rule }) => rule);
    expect(rules).not.toContain('downgrade-fails');
    expect(rules).not.toContain('reupgrade-fails');
  });
});

describe('the settings', () => {
  const revisions = {
    a1: { upgrade: 'op.execute("CREATE TABLE t (id int PRIMARY KEY, j json)")', downgrade: 'op.drop_table("t")' },
  };

  it('make a rule an error or a warning, or turn it off', async () => {
    const options: ReviewOptions = { ...OPTIONS, rules: { 'json-column': 'error', 'integer-primary-key': 'off' } };
    expect(await findings(revisions, 'all', { options })).toMatchObject([{ rule: 'json-column', severity: 'error' }]);
  });

  it('set the severity at which a review fails', async () => {
    await inFolder(async (folder) => {
      write(folder, revisions);
      expect((await reviewed(folder, 'all')).failed).toBe(false);
      expect((await reviewed(folder, 'all', { options: { ...OPTIONS, failOn: 'warning' } })).failed).toBe(true);
      expect(
        (await reviewed(folder, 'all', { options: { ...OPTIONS, rules: { 'json-column': 'error' }, failOn: 'never' } })).failed,
      ).toBe(false);
    });
  });
});

it('a habit of the project is one finding, with the number of other revisions; a call of the network is not hidden behind it', async () => {
  await inFolder(async (folder) => {
    const ids = ['a1', 'b1', 'c1', 'd1', 'e1', 'f1'];
    const upgrade = 'import os, shop; print(os.getenv("STAGE"))';
    const entries = ids.map((id, at) => [id, { down: ids[at - 1], upgrade }] as const);
    const call = { down: 'f1', upgrade: 'import requests; requests.get("https://localhost:1")' };
    write(folder, { ...Object.fromEntries(entries), g1: call });
    writeFileSync(path.join(folder, 'shop.py'), '');
    const { findings: all } = await reviewed(folder, 'all');
    const habit = { revision: 'a1', message: expect.stringContaining('(and in 5 more revisions)') };
    expect(all.filter(({ rule }) => rule === 'imports-application')).toMatchObject([habit]);
    const outside = all.filter(({ rule }) => rule === 'reads-outside');
    expect(outside).toMatchObject([habit, { revision: 'g1', message: expect.stringContaining('requests.get') }]);
  });
});

it('all errors in the sample are acknowledged, and all acknowledgements are needed', async () => {
  await inFolder(async (folder) => {
    const project = path.join(folder, 'back');
    cpSync(path.join(__dirname, '../../../examples/template-saas/back'), project, { recursive: true });
    const names = ['HOST', 'PORT', 'USER', 'PASSWORD', 'DB'].map((name) => [`POSTGRES_${name}`, '1']);
    const result = await reviewed(project, 'all', { environment: Object.fromEntries(names) });
    expect(result.findings.filter(({ acknowledged }) => acknowledged === undefined)).toEqual([]);
    expect(result.summary).toMatchObject({ revisions: 15, replayed: 15, errors: 0, acknowledged: 2 });
  });
});
