import { copyFileSync } from 'node:fs';
import { writeFiles } from '../examples/files';
import { inFolder } from '../folder';
import { findings, reviewed, rules, WITH_MODELS, write } from './project';

describe('the graph', () => {
  it('with two heads is an error that says how to join them', async () => {
    const [found, ...more] = await findings({ a1: {}, b1: { down: 'a1' }, c1: { down: 'a1' } });
    expect(found).toMatchObject({ rule: 'several-heads', severity: 'error', instead: expect.stringContaining('alembic merge') });
    expect(more).toEqual([]);
  });

  it('may have branches with different labels', async () => {
    expect(await findings({ a1: {}, b1: { down: 'a1', label: 'shop' }, c1: { down: 'a1', label: 'blog' } })).toEqual([]);
  });

  it('with a labeled head beside one without a label is an error, as in the deploy', async () => {
    const [found] = await findings({ a1: {}, b1: { down: 'a1', label: 'shop' }, c1: { down: 'a1' } });
    expect(found).toMatchObject({ rule: 'several-heads', instead: expect.stringContaining('alembic merge') });
  });

  it('with one revision id in two files is an error that names both files', async () => {
    await inFolder(async (folder) => {
      write(folder, { a1: {} });
      copyFileSync(`${folder}/alembic/versions/a1.py`, `${folder}/alembic/versions/copy.py`);
      const { findings: found } = await reviewed(folder, 'graph');
      expect(found).toMatchObject([
        { rule: 'orphan-revision', message: expect.stringContaining('two files have the revision id a1: a1.py and copy.py') },
      ]);
    });
  });

  it('with a cycle of revisions is an error that names them', async () => {
    const [found] = await findings({ a1: { down: 'b1' }, b1: { down: 'a1' } });
    expect(found).toMatchObject({
      rule: 'orphan-revision',
      message: expect.stringContaining('follow each other in a cycle: a1 (a1.py), b1 (b1.py)'),
    });
  });

  it('with a revision that follows a missing one is an error that names both', async () => {
    const [found] = await findings({ a1: {}, b1: { down: 'gone' } });
    expect(found).toMatchObject({
      rule: 'orphan-revision',
      severity: 'error',
      revision: 'b1',
      message: expect.stringContaining('gone'),
    });
  });

  it('may be a single line', async () => {
    expect(await findings({ a1: {}, b1: { down: 'a1' } })).toEqual([]);
  });

  it('reports an edited revision of the base branch', async () => {
    const edited = [{ file: 'alembic/versions/a1.py', how: 'changed' as const }];
    const [found] = await findings({ a1: {}, b1: { down: 'a1' } }, 'graph', { edited });
    expect(found).toMatchObject({ rule: 'edited-revision', severity: 'error', revision: 'a1' });
  });

  it('may have empty merges, but merges that change something are reported', async () => {
    const branches = { a1: {}, b1: { down: 'a1' }, c1: { down: 'a1' } };
    expect(await findings({ ...branches, d1: { down: ['b1', 'c1'], message: 'Merge heads' } }, 'all')).toEqual([]);
    const working = { down: ['b1', 'c1'], upgrade: 'op.execute("CREATE TABLE t (id bigint)")', downgrade: 'op.drop_table("t")' };
    expect(rules(await findings({ ...branches, d1: working }, 'all'))).toEqual(['merge-does-work']);
  });
});

/** Reads models.py, if there is one. */
describe('drift', () => {
  it('reports all defaults that only the migrations have in one finding', async () => {
    const table = 'CREATE TABLE t (id serial PRIMARY KEY, a int DEFAULT 1, b text DEFAULT 2, c int DEFAULT 3)';
    const columns = ['sa.Integer', 'sa.Text', 'sa.Integer, server_default="4"'].map(
      (of, at) => `sa.Column("${'abc'[at]}", ${of})`,
    );
    const models = `import sqlalchemy as sa\nmetadata = sa.MetaData()\nsa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), ${columns.join(', ')})\n`;
    const found = await inFolder(async (folder) => {
      write(folder, { a1: { upgrade: `op.execute("${table}")`, downgrade: 'op.drop_table("t")' } }, WITH_MODELS);
      writeFiles(folder, { 'models.py': models });
      return (await reviewed(folder, 'all', { drift: true })).findings.filter(({ rule }) => rule === 'drift');
    });
    expect(found.map(({ message }) => message)).toEqual([
      'column t.c is integer DEFAULT 3 in the migrations and integer DEFAULT 4 in the models',
      'only the migrations have defaults of t (a, b)',
    ]);
  });
});

describe('objects that only the models or only the migrations have', () => {
  it('are one short finding for each side, however many there are', async () => {
    const tables = ['a', 'b', 'c', 'd'].map(
      (name) => `op.execute("CREATE TABLE ${name} (id serial PRIMARY KEY, x int, CHECK (x > 0))")`,
    );
    const models = `import sqlalchemy as sa\nmetadata = sa.MetaData()\nfor name in "abcd":\n    sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", sa.Text), sa.Column("y", sa.Text))\n`;
    const found = await inFolder(async (folder) => {
      write(folder, { a1: { upgrade: tables.join('\n    '), downgrade: 'pass' } }, WITH_MODELS);
      writeFiles(folder, { 'models.py': models });
      return (await reviewed(folder, 'all', { drift: true })).findings.filter(({ rule }) => rule === 'drift');
    });
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^the models need 8 operations that no revision has: op\.add_column\('a', .*; op\.alter_column\('a', .*\) and 5 more$/,
      ),
      'the migrations create constraint a.a_x_check, constraint b.b_x_check, constraint c.c_x_check and 1 more, the models do not',
    ]);
  });
});

describe('a revision whose id is longer than version_num', () => {
  const id = 'add_the_table_of_all_customers_and_teams';

  it('is an error that names the limit', async () => {
    const found = await findings(
      { [id]: { upgrade: 'op.execute("CREATE TABLE t (id bigint)")', downgrade: 'op.drop_table("t")' } },
      'all',
    );
    expect(found).toMatchObject([
      { rule: 'upgrade-fails', severity: 'error', message: expect.stringContaining('its id of 40 characters is too long') },
    ]);
  });

  it('is accepted after an earlier one has widened the column', async () => {
    const widen = 'op.execute("ALTER TABLE alembic_version ALTER version_num TYPE varchar(64)")';
    expect(rules(await findings({ a1: { upgrade: widen }, [id]: { down: 'a1' } }, 'all'))).not.toContain('upgrade-fails');
  });
});
