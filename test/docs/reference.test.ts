import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS, STATUSES } from '../../lib/contract';
import { root, textOf } from './pages';

interface Declared {
  readonly name: string;
  readonly optional: boolean;
  /** What its `@default` says. */
  readonly fallback?: string;
}

/** The members of an interface, as its source declares them. */
function membersOf(file: string, name: string): Declared[] {
  const source = readFileSync(join(root, file), 'utf8');
  const body = source.split(new RegExp(`^export interface ${name}\\b.*\\{$`, 'm'))[1]?.split(/^\}/m)[0] ?? '';
  return [...body.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\s+readonly (\w+)(\??):/g)].map(
    ([, comment = '', member = '', optional]) => ({
      name: member,
      optional: optional === '?',
      fallback: /@default (.*?)(?: - .*)?(?:\s*\*\/)?$/m.exec(comment)?.[1],
    }),
  );
}

/** Rows of the table with this head, as cells. */
function rows(page: string, head: string): string[][] {
  const [, table = ''] = textOf(page).split(new RegExp(`^\\| ${head} \\|.*\\n\\|[- |]+\\n`, 'm'));
  return table
    .slice(0, table.indexOf('\n\n'))
    .split('\n')
    .map((row) =>
      row
        .slice(1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

function code(cell = ''): string {
  return cell.replaceAll('`', '');
}

describe('docs/props.md', () => {
  const declared = [
    ...membersOf('lib/constructs/function/migration-props.ts', 'MigrationProps'),
    ...membersOf('lib/constructs/alembic-migration.ts', 'AlembicMigrationProps'),
  ];
  const shown = rows('docs/props.md', 'prop');

  test('has every prop, and no others', () => {
    expect(shown.map(([name]) => code(name)).sort()).toEqual(declared.map(({ name }) => name).sort());
    expect(declared.length).toBeGreaterThan(20);
  });

  test.each(declared.map((prop) => [prop.name, prop] as const))('the default of %s matches the code', (name, prop) => {
    const fallback = shown.find(([cell]) => code(cell) === name)?.[2] ?? '';
    if (!prop.optional) expect(fallback).toBe('');
    else if (prop.fallback?.startsWith('-')) expect(fallback).toMatch(/^[^`]+$/);
    else expect(code(fallback)).toBe(prop.fallback);
  });

  test.each([
    ['MigrationCode', 'lib/constructs/code/migration-code.ts'],
    ['MigrationDatabase', 'lib/constructs/database/migration-database.ts'],
  ])('has every factory of %s', (name, file) => {
    const factories = [...readFileSync(join(root, file), 'utf8').matchAll(/^ {2}static (from\w+)\(/gm)].map(
      ([, factory]) => factory,
    );
    const listed = [...textOf('docs/props.md').matchAll(new RegExp(`^\\| \`${name}\\.(\\w+)\\(`, 'gm'))].map(
      ([, factory]) => factory,
    );
    expect(listed.sort()).toEqual(factories.sort());
    expect(factories.length).toBeGreaterThan(1);
  });

  test('has every option of MigrationCode.fromProject, and no others', () => {
    const [, listed = ''] = /`MigrationCode\.fromProject\(directory, \{ (.*?) \}\)`/.exec(textOf('docs/props.md')) ?? [];
    const options = membersOf('lib/constructs/code/migration-code.ts', 'ProjectOptions').map(({ name }) => name);
    expect(listed.split(', ')).toEqual(options);
    expect(options.length).toBeGreaterThan(5);
  });
});

describe('docs/payload.md', () => {
  const request = membersOf('lib/contract/request.ts', 'MigrateRequest').map(({ name }) => name);

  test('has every key, and no others', () => {
    expect(
      rows('docs/payload.md', 'key')
        .map(([name]) => code(name))
        .sort(),
    ).toEqual(request.sort());
    expect(request.length).toBeGreaterThan(5);
  });

  test('has every command and every status', () => {
    expect(rows('docs/payload.md', 'key')[0]?.[2]).toContain(COMMANDS.map((command) => `\`${command}\``).join(', '));
    expect(rows('docs/payload.md', '`status`').map(([name]) => code(name))).toEqual([...STATUSES]);
  });
});
