import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inFolder } from '../folder';
import { findings, reviewed, rules, write } from './project';

describe('a revision that can’t be loaded', () => {
  it('is reported if it updates every row through SQLAlchemy with a value of the backend', async () => {
    const upgrade = [
      'from not_here import mode',
      'groups = sa.table("groups", sa.column("id"), sa.column("mode"))',
      'def fill():',
      '    op.execute(groups.update().values(mode=mode()))',
      'op.add_column("groups", sa.Column("mode", sa.Text()))',
      'fill()',
      'op.execute(groups.update().where(groups.c.id == 7).values(mode=mode()))',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'pass' } }, 'all');
    const updates = found.filter(({ rule }) => rule === 'update-all');
    expect(updates).toMatchObject([
      { severity: 'error', line: 14, message: expect.stringContaining('every row of groups at once: ') },
    ]);
    expect(JSON.stringify(updates)).not.toContain('cdk_alembic');
    expect(found.filter(({ severity, line }) => severity === 'error' && line === 14)).toHaveLength(1);
  });

  it('lists the functions that could not be read, if they are called for their effect', async () => {
    const upgrade = [
      'from not_here import fill, log, session',
      'import not_there.helpers',
      'fill("users")',
      'fill("orders")',
      'not_there.helpers.clean("users").check()',
      'log.info("a")',
      'session.commit()',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'pass' } }, 'all');
    expect(found.filter(({ rule }) => rule === 'unread-sql')).toMatchObject([
      {
        line: 13,
        severity: 'warning',
        message: expect.stringContaining('not_here.fill comes from a module that is not installed'),
      },
      { line: 15, message: expect.stringContaining('not_there.helpers.clean') },
    ]);
  });

  const first = { upgrade: 'import not_installed' };

  it('has its findings on their own lines, even in a loop or a function', async () => {
    const upgrade = [
      'for column in ("a", "b"):',
      '    op.create_index(f"ix_users_{column}",',
      '                    "users", [column])',
      'def fill():',
      '    for column in ["a"]:',
      '        op.drop_column("users", column)',
      'fill()',
    ].join('\n    ');
    const env = 'import not_installed';
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all', { env });
    const own = found.filter(({ rule }) => ['index-not-concurrent', 'drop-column'].includes(rule));
    expect(own.map(({ rule, line }) => `${rule} ${line}`)).toEqual([
      'index-not-concurrent 12',
      'index-not-concurrent 12',
      'drop-column 16',
    ]);
  });

  it('does not lose data by a CASCADE that finds nothing', async () => {
    const drop = 'op.execute("DROP VIEW IF EXISTS names_users CASCADE")';
    const again = ['op.execute("CREATE VIEW names_users AS SELECT 1")', 'op.execute("DROP VIEW names_users CASCADE")'];
    const upgrade = [drop, drop, ...again].join('\n    ');
    const env = 'import not_installed';
    const given = { upgrade: 'op.execute("CREATE VIEW names_users AS SELECT 1")', downgrade: 'pass' };
    const b1 = { down: 'a1', upgrade, downgrade: 'raise NotImplementedError' };
    const found = await findings({ a1: given, b1 }, 'all', { env });
    expect(found.filter(({ rule }) => rule === 'cascade').map(({ line }) => line)).toEqual([11, 14]);
  });

  it('may write the schema of its own table in different ways', async () => {
    const upgrade = [
      'from elsewhere import SCHEMA',
      'op.create_table("t", sa.Column("id", sa.BigInteger()), schema=SCHEMA)',
      'op.create_index("ix_t_id", "t", ["id"], schema="shop")',
    ].join('\n    ');
    const env = 'import not_installed';
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all', { env });
    expect(rules(found)).not.toContain('index-not-concurrent');
  });

  it('may use a type of a library that is not installed, which the message does not name', async () => {
    const upgrade = 'from elsewhere import Payload\n    op.alter_column("users", "data", type_=Payload())';
    const found = await findings({ a1: { upgrade, downgrade: 'pass' } }, 'all', { env: 'import not_installed' });
    expect(found.map(({ message }) => message)).toContainEqual(expect.stringContaining('the new type of column data'));
  });

  it('is no error if the backend is not installed: the review says that it checked nothing', async () => {
    await inFolder(async (folder) => {
      write(folder, { a1: first }, 'import not_installed');
      writeFileSync(
        path.join(folder, 'alembic', 'versions', 'b1.py'),
        'import not_installed\nrevision = "b1"\ndown_revision = "a1"\ndef upgrade(): pass\ndef downgrade(): pass\n',
      );
      const result = await reviewed(folder, 'all');
      expect(rules(result.findings)).not.toContain('orphan-revision');
      expect(result.notChecked?.code).toBe('nothing_replayed');
    });
  });

  it('is no error if env.py lacks a variable: the next step says where to set it', async () => {
    await inFolder(async (folder) => {
      const code = 'import os\nos.environ["APP_NOT_SET"]\n';
      write(folder, { a1: {} }, code);
      for (const [id, down] of [
        ['b1', 'a1'],
        ['c1', 'b1'],
      ]) {
        const body = `revision = "${id}"\ndown_revision = "${down}"\ndef upgrade(): pass\ndef downgrade(): pass\n`;
        writeFileSync(path.join(folder, 'alembic', 'versions', `${id}.py`), `${code}${body}`);
      }
      const result = await reviewed(folder, 'all');
      expect(rules(result.findings)).not.toContain('orphan-revision');
      expect(result.graph.problem).toBe(
        'the environment variable APP_NOT_SET is not set (alembic/versions/b1.py:2); the environment variable APP_NOT_SET is not set (alembic/versions/c1.py:2)',
      );
      expect(result.notChecked).toMatchObject({
        message: 'no revision could be replayed: env.py failed: the environment variable APP_NOT_SET is not set (env.py:2)',
        next: expect.stringContaining('the setting "environment" in cdk-alembic.json'),
      });
    });
  });

  it('because of its syntax is an error, even if env.py fails', async () => {
    await inFolder(async (folder) => {
      write(folder, { a1: {} }, 'import not_installed');
      writeFileSync(path.join(folder, 'alembic', 'versions', 'b1.py'), 'revision = "b1"\ndown_revision = "a1"\ndef upgrade(:\n');
      expect(rules((await reviewed(folder, 'all')).findings)).toContain('orphan-revision');
    });
    await inFolder(async (folder) => {
      write(folder, {});
      writeFileSync(path.join(folder, 'alembic', 'versions', 'b1.py'), 'revision = "b1"\ndown_revision = None\ndef upgrade(:\n');
      expect((await reviewed(folder, 'all')).notChecked?.next).toMatch(/^fix the revision that it names/);
    });
  });
});
