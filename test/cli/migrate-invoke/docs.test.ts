import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { CLI_COMMANDS, parseArguments } from '../../../lib/cli/migrate-invoke/arguments';
import { HELP } from '../../../lib/cli/migrate-invoke/help';
import { CLIENT_CODES, RUNNER_CODES } from '../../../lib/contract';
import { exitCodeOf } from '../../../lib/contract/exit-codes';
import schema from '../../../schema/migrate-invoke.json';

const page = readFileSync(join(__dirname, '../../../docs/command.md'), 'utf8');
const blocks = (language: string) =>
  Array.from(page.matchAll(/^```(\w*)\n(.*?)^```/gms), ([, l, code]) => [l, code as string])
    .filter(([l]) => l === language)
    .map(([, code]) => code as string);
const rows = (title: string) =>
  page
    .split(`## ${title}\n`)[1]
    ?.split('\n## ')[0]
    ?.match(/^\| .*$/gm) ?? [];

describe('docs/command.md', () => {
  test('has every command', () => {
    for (const command of CLI_COMMANDS) expect(rows('Commands').join()).toContain(`| \`${command}\` |`);
  });

  test('has every option of --help, and no others', () => {
    const options = (text: string) => [...new Set(text.match(/--[a-z][a-z-]+/g))].sort();
    expect(
      options(
        rows('Options')
          .map((row) => row.split('|')[1])
          .join(),
      ),
    ).toEqual(options(HELP).filter((name) => name !== '--command'));
  });

  test('has the exit code of every error', () => {
    const told = rows('Exit codes').flatMap((row) => {
      const [, code, , errors = ''] = row.split('|');
      return Array.from(errors.matchAll(/`(\w+)`/g), ([, error]) => [error, Number(code)] as const);
    });
    const codes = [...RUNNER_CODES, ...CLIENT_CODES, 'declined', 'interrupted'] as const;
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(codes.map((code) => [code, exitCodeOf(code)])));
  });

  test('shows only valid command lines', () => {
    const lines = blocks('sh').flatMap((code) => code.match(/migrate-invoke [^#|\n]*/g) ?? []);
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(parseArguments(line.trim().split(/\s+/).slice(1))).toMatchObject({ kind: 'run' });
  });

  test('shows only documents that match the schema', () => {
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
    const documents = blocks('json');
    expect(documents).toHaveLength(2);
    for (const document of documents) expect([validate(JSON.parse(document)), validate.errors]).toEqual([true, null]);
  });
});
