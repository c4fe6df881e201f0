import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { secondsOf } from '../../lib/local/limits';
import { findProject } from '../../lib/local/project';
import { pythonCommand } from '../../lib/local/python/command';
import { readSettings } from '../../lib/local/settings';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'settings-')));
  mkdirSync(path.join(root, '.git'));
  mkdirSync(path.join(root, 'back/app'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, content: unknown): void {
  writeFileSync(path.join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
}

const read = (from = '.') => readSettings(path.join(root, from), (rule) => rule === 'drop-table');

describe('the settings', () => {
  it('come from the nearest package.json that has some, with paths relative to it', () => {
    write('back/package.json', { name: 'no settings' });
    write('package.json', { 'cdk-alembic': { project: 'back', baseline: 'schema.sql', rules: { 'drop-table': 'warn' } } });
    expect(read('back/app')).toEqual({
      project: path.join(root, 'back'),
      baseline: path.join(root, 'schema.sql'),
      failOn: 'error',
      environment: {},
      rules: { 'drop-table': 'warn' },
      folder: root,
    });
  });

  it('may be in cdk-alembic.json', () => {
    write('back/cdk-alembic.json', { python: ['docker', 'compose', 'exec', '-T', 'back', 'uv', 'run'], failOn: 'never' });
    expect(read('back')).toMatchObject({ failOn: 'never', folder: path.join(root, 'back') });
  });

  it('are not searched for outside of the repository', () => {
    write('cdk-alembic.json', { failOn: 'never' });
    mkdirSync(path.join(root, 'back/.git'));
    expect(read('back')).toBeUndefined();
  });

  it('are rejected with all problems at once', () => {
    write('cdk-alembic.json', {
      projekt: 'back',
      python: 3,
      databaseUrl: 'mysql://x/y',
      environment: { A: 1 },
      failOn: 'info',
      smallTable: { rows: -1, size: 3 },
      budgets: { writesBlocked: 2, readsBlocked: '3 days', rewrites: 'no', locks: 1 },
      measure: { rows: 0, time: '0s', size: 3 },
      rules: { 'drop-tabel': 'off', 'drop-table': 'loud' },
    });
    expect(() => read()).toThrow(
      expect.objectContaining({
        code: 'invalid_settings',
        message: [
          'unknown key "projekt": use project, python, databaseUrl, environment, baseline, failOn, allowNotReplayed, statistics, smallTable, budgets, measure, rules',
          '"python" must be a text or a list of texts',
          '"databaseUrl" must be an address with the scheme postgresql, not mysql',
          '"environment" must be an object of texts',
          '"failOn" must be "error" or "warning" or "never"',
          '"smallTable" must have a number of rows, 0 or more',
          '"smallTable" has the unknown key "size": use rows, bytes',
          '"budgets" must have a duration such as "500ms", "2s" or "5min" for "writesBlocked"',
          '"budgets" must have a duration such as "500ms", "2s" or "5min" for "readsBlocked"',
          '"budgets" must have true or false for "rewrites"',
          '"budgets" has the unknown key "locks": use writesBlocked, readsBlocked, rewrites',
          '"measure" must have a number of rows, 1 or more',
          '"measure" must have a duration such as "500ms", "2s" or "5min" for "time"',
          '"measure" has the unknown key "size": use rows, bytes, time',
          '"rules" names the rule "drop-tabel", which does not exist',
          '"rules" of "drop-table" must be "off" or "warn" or "error"',
        ]
          .map((problem) => `${path.join(root, 'cdk-alembic.json')}: ${problem}`)
          .join('; '),
      }),
    );
  });

  it.each([
    ['500ms', 0.5],
    ['1.5s', 1.5],
    ['2min', 120],
    ['1 h', 3600],
    ['2', undefined],
    ['-1s', undefined],
    [2, undefined],
  ])('read the duration %j as %j seconds', (text, seconds) => expect(secondsOf(text)).toBe(seconds));

  it('are rejected if budgets contradict each other', () => {
    write('cdk-alembic.json', { budgets: { writesBlocked: '500ms', readsBlocked: '1s' } });
    expect(() => read()).toThrow(
      expect.objectContaining({
        code: 'invalid_settings',
        message: expect.stringContaining(
          '"budgets" allows reads to wait longer than writes, but what blocks reads blocks writes too',
        ),
      }),
    );
  });

  it('are rejected if two files in one folder have them', () => {
    write('cdk-alembic.json', {});
    write('package.json', { 'cdk-alembic': {} });
    expect(() => read()).toThrow('keep one');
  });
});

describe('the Alembic project', () => {
  const find = (from: string) => path.relative(root, findProject(path.join(root, from)).folder);

  it.each([
    ['alembic.ini', ''],
    ['pyproject.toml', '[project]\nname = "x"\n\n[tool.alembic]\nscript_location = "migrations"\n'],
  ])('is the nearest folder upwards with %s', (file, text) => {
    write(`back/${file}`, text);
    expect(find('back/app')).toBe('back');
  });

  it('is the only one directly below', () => {
    write('back/alembic.ini', '');
    expect(find('.')).toBe('back');
  });

  it.each(['.', 'infra', 'infra/bin'])('is the only one in the repository, from %s', (from) => {
    mkdirSync(path.join(root, 'infra/bin'), { recursive: true });
    mkdirSync(path.join(root, 'infra/cdk.out/asset.1'), { recursive: true });
    mkdirSync(path.join(root, 'services/api'), { recursive: true });
    for (const folder of ['services/api', 'infra/cdk.out/asset.1']) write(`${folder}/alembic.ini`, '');
    expect(find(from)).toBe('services/api');
  });

  it('is not searched for in sibling folders outside of a repository', () => {
    rmSync(path.join(root, '.git'), { recursive: true });
    mkdirSync(path.join(root, 'infra'));
    write('back/alembic.ini', '');
    expect(() => find('infra')).toThrow(expect.objectContaining({ code: 'project_not_found' }));
  });

  it('is reported by the folder of its scripts if it has no configuration', () => {
    for (const name of ['back/migrations/env.py', 'back/migrations/versions/a1.py']) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      write(name, '');
    }
    expect(() => findProject(root)).toThrow(
      expect.objectContaining({
        code: 'project_not_found',
        message: expect.stringMatching(/^back\/migrations has an env\.py, and no alembic\.ini/),
        next: expect.stringContaining('write it beside back/migrations'),
      }),
    );
  });

  it('is reported if it is further below than the search goes', () => {
    mkdirSync(path.join(root, 'src/py/app/migrations'), { recursive: true });
    write('src/py/app/migrations/alembic.ini', '');
    expect(() => findProject(root)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/up to two levels below; further below: src\/py\/app\/migrations$/),
        next: expect.stringContaining('--project src/py/app/migrations'),
      }),
    );
  });

  it('is listed with the first five if there are many', () => {
    for (let number = 1; number <= 8; number++) {
      mkdirSync(path.join(root, `back${number}`));
      write(`back${number}/alembic.ini`, '');
    }
    expect(() => findProject(root)).toThrow(/back4, back5 and 3 more$/);
  });

  it('is not guessed among several, and the error lists them as --project accepts them', () => {
    mkdirSync(path.join(root, 'services/api'), { recursive: true });
    mkdirSync(path.join(root, 'infra'));
    for (const folder of ['back', 'services/api']) write(`${folder}/alembic.ini`, '');
    expect(() => find('infra')).toThrow(
      expect.objectContaining({
        code: 'project_not_found',
        message: expect.stringContaining('../back, ../services/api'),
        next: expect.stringContaining('--project ../back'),
      }),
    );
  });

  it.each([undefined, '.', 'migrations'])(
    'is the folder that its script_location is relative to, with the file to name with -c (--project %s)',
    (named) => {
      mkdirSync(path.join(root, 'migrations'));
      write('migrations/alembic.ini', '[alembic]\nscript_location = migrations\n');
      write('migrations/env.py', '');
      const found = findProject(path.join(root, 'migrations'), named && path.join(root, named));
      expect(found).toEqual({ folder: root, config: 'migrations/alembic.ini' });
    },
  );

  it.each(['%(here)s', '.', 'scripts'])('is the folder of its alembic.ini with the script_location %s', (location) => {
    mkdirSync(path.join(root, 'migrations/scripts'), { recursive: true });
    write('migrations/alembic.ini', `[alembic]\nscript_location = ${location}\n`);
    write('migrations/env.py', '');
    expect(findProject(root)).toEqual({ folder: path.join(root, 'migrations') });
  });

  it('is not just any folder with a pyproject.toml', () => {
    write('back/pyproject.toml', '[project]\nname = "x"\n');
    expect(() => find('back')).toThrow(
      expect.objectContaining({ code: 'project_not_found', next: expect.stringContaining('--project') }),
    );
    expect(() => findProject(root, path.join(root, 'back'))).toThrow(/has no Alembic project/);
  });
});

describe('the setting "python"', () => {
  it('may be an interpreter, the folder of an environment, or a command that ends with python', () => {
    mkdirSync(path.join(root, '.venv'));
    write('snake', '');
    expect(pythonCommand('.venv', root)).toEqual([path.join(root, '.venv/bin/python')]);
    expect(pythonCommand('snake', root)).toEqual([path.join(root, 'snake')]);
    expect(pythonCommand('python3.12', root)).toEqual(['python3.12']);
    expect(pythonCommand('docker compose exec -T back uv run', root)).toEqual([
      'docker',
      'compose',
      'exec',
      '-T',
      'back',
      'uv',
      'run',
      'python',
    ]);
    expect(pythonCommand(['poetry', 'run', 'python'], root)).toEqual(['poetry', 'run', 'python']);
  });
});
