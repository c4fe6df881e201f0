import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseDocument } from 'yaml';
import { parseArguments as migrateInvoke } from '../../lib/cli/migrate-invoke/arguments';
import { parseArguments as migratePackage } from '../../lib/cli/migrate-package/arguments';
import { parseArguments as safeAlembic } from '../../lib/cli/safe-alembic/arguments';
import { DATA_LOSS_RULES, type FailureCode } from '../../lib/contract';
import { exitCodeOf, FAILURE_CODES } from '../../lib/contract/exit-codes';
import { PACKAGING_CODES, type PackagingCode, pageOf } from '../../lib/packaging/errors';
import { anchorOf } from '../../scripts/site/anchor';
import { Database } from '../production/database';
import { blocks, PAGES, root, textOf } from './pages';

function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

function python(script: string): unknown {
  const env = { PATH: process.env.PATH, PYTHONPATH: join(root, 'lambda/migrate'), PYTHONDONTWRITEBYTECODE: '1' };
  const run = spawnSync('python3', ['-c', script], { env, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

/** The sections of a page whose heading is a code. */
function sectionsOf(page: string): { code: string; section: string }[] {
  return textOf(page)
    .split(/^#{2,3} /m)
    .flatMap((text) => {
      const [, code, section = ''] = /^`(\w+)`\n(.*)$/s.exec(text) ?? [];
      return code ? [{ code, section }] : [];
    });
}

const runbook = sectionsOf('docs/runbook.md');

test('the runbook has a section for every error code, and no others', () => {
  expect(runbook.map(({ code }) => code).sort()).toEqual([...FAILURE_CODES].sort());
});

test.each(runbook)('the runbook says what to do about $code, with its exit code', ({ code, section }) => {
  expect(section.length).toBeGreaterThan(120);
  expect(section).toMatch(new RegExp(`^\n\\(${exitCodeOf(code as FailureCode)}\\) `));
});

const packaging = sectionsOf('docs/packaging-errors.md');

test('the page about packaging has a section for every code, in the order of the code, and no others', () => {
  expect(packaging.map(({ code }) => code)).toEqual([...PACKAGING_CODES]);
});

test.each(packaging)('the page about packaging says what to do about $code, and the error links to it', ({ code, section }) => {
  expect(section.length).toBeGreaterThan(80);
  const [, site] = /\[Documentation\]\((\S+)\)/.exec(textOf('README.md')) ?? [];
  expect(pageOf(code as PackagingCode)).toBe(`${site}packaging-errors.html#${code}`);
  expect(anchorsOf('docs/packaging-errors.md')).toContain(code);
});

test.each(DATA_LOSS_RULES)('the page about the guard explains the rule %s', (rule) => {
  expect(textOf('docs/guard.md')).toContain(`| \`${rule}\` |`);
});

test('the guard accepts the acknowledgement on the page', () => {
  const [{ code = '' } = {}] = blocks('python', ['docs/guard.md']);
  const script = `
import json, pathlib, tempfile, types
from cdk_alembic.project.guard import data_losses
path = pathlib.Path(tempfile.mkdtemp()) / "a1.py"
path.write_text(${JSON.stringify(code)})
print(json.dumps(data_losses([types.SimpleNamespace(revision="a1", path=str(path))])))
`;
  expect(python(script)).toEqual([expect.objectContaining({ rule: 'drop-column', acknowledgement: expect.any(String) })]);
});

test('the runner accepts the comment for the container on the page', () => {
  const [{ code = '' } = {}] = blocks('python', ['docs/long-statements.md']);
  const script = `
import json
from cdk_alembic.project.sources import runs_in_container
print(json.dumps(runs_in_container(${JSON.stringify(code)}.encode())))
`;
  expect(python(script)).toBe(true);
});

test('the documented exit codes of the task are correct', () => {
  const script =
    'import json; from cdk_alembic.protocol.rules import CONTAINER_EXIT_CODES; print(json.dumps(sorted({*CONTAINER_EXIT_CODES.values()})))';
  const documented = [...textOf('docs/long-statements.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  // 0 is success, and 137 is not the task's own.
  expect(documented.filter((code) => code > 0 && code !== 137)).toEqual(python(script));
});

test('the documented defaults are those of the runner', () => {
  const limits = python(
    'import json; from cdk_alembic.protocol.request import Limits; print(json.dumps(Limits()._asdict()))',
  ) as Record<string, number | null>;
  const documented = Object.fromEntries(
    [...textOf('docs/timeouts.md').matchAll(/^\| `limits\.(\w+)` \| (?:(\d+) s|none) \|/gm)].map(([, name = '', seconds]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      seconds === undefined ? null : Number(seconds),
    ]),
  );
  expect(documented).toEqual(limits);
});

test.each(PAGES)('every link in %s works', (page) => {
  for (const [, target = ''] of textOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
    const [path, anchor] = target.split('#') as [string, string?];
    const file = path ? join(dirname(page), path) : page;
    expect([target, existsSync(join(root, file))]).toEqual([target, true]);
    if (anchor) expect(anchorsOf(file)).toContain(anchor);
  }
});

test.each<[string, (argv: string[]) => { readonly kind: string }, number]>([
  ['migrate-invoke', migrateInvoke, 6],
  ['migrate-package', migratePackage, 2],
  ['safe-alembic', safeAlembic, 20],
])('every command line of %s in the documentation is valid', (command, read, least) => {
  const start = new RegExp(`^(?:npx|uvx|uv run) (?:--\\S+ )*${command} `);
  const shown = blocks('sh').flatMap(({ code }) => code.split('\n').filter((line) => start.test(line)));
  expect(shown.length).toBeGreaterThanOrEqual(least);
  for (const line of shown) {
    const text = line.replace(start, '').replace(/(?:^|\s)(?:[#|]|>>? ).*$/, '');
    const argv = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
    expect([line, read(argv)]).toEqual([line, expect.not.objectContaining({ kind: 'problems' })]);
  }
});

test('the Python, JSON and YAML in the documentation can be read', () => {
  const script = `
import ast, json, sys, textwrap
for where, code in json.load(sys.stdin):
    try:
        ast.parse(textwrap.dedent(code))
    except SyntaxError as error:
        sys.exit(f"{where}: {error}")
`;
  const python = blocks('py(?:thon)?').map(({ page, line, code }) => [`${page}:${line}`, code]);
  expect(python.length).toBeGreaterThan(50);
  const run = spawnSync('python3', ['-c', script], { input: JSON.stringify(python), encoding: 'utf8' });
  expect(run.stderr).toBe('');
  for (const { code } of blocks('json')) expect(() => JSON.parse(code)).not.toThrow();
  for (const { code } of blocks('yaml')) expect(parseDocument(code).errors).toEqual([]);
});

describe('with a database that has the history of the runner', () => {
  let database: Database;
  beforeAll(async () => {
    database = await Database.create();
    const create = python(
      'import json; from cdk_alembic.database import history; print(json.dumps(history._CREATE))',
    ) as string[];
    for (const statement of create) await database.rows(statement);
  });
  afterAll(() => database?.drop());

  test.each(blocks('sql').map(({ page, line, code }) => [`${page}:${line}`, code]))(
    'PostgreSQL runs the SQL in %s',
    async (_, code) => {
      await expect(database.rows(code)).resolves.toBeDefined();
    },
  );
});
