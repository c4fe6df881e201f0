import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { parseArguments } from '../../../../lib/cli/migrate-invoke/tenants/arguments';
import { exitCodeOf } from '../../../../lib/contract/exit-codes';
import { TENANT_CODES, TENANTS_CLIENT_CODES } from '../../../../lib/contract/tenants';
import schema from '../../../../schema/migrate-invoke.json';

const page = readFileSync(join(__dirname, '../../../../docs/tenants.md'), 'utf8');
const blocks = (language: string) =>
  Array.from(page.matchAll(/^```(\w*)\n(.*?)^```/gms), ([, l, code]) => [l, code as string])
    .filter(([l]) => l === language)
    .map(([, code]) => code as string);
const CODES = [...TENANT_CODES, ...TENANTS_CLIENT_CODES, 'declined', 'interrupted'] as const;

describe('docs/tenants.md', () => {
  test('has the exit code of every error', () => {
    const rows =
      page
        .split('## Exit codes\n')[1]
        ?.split('\n## ')[0]
        ?.match(/^\| .*$/gm) ?? [];
    const told = rows.flatMap((row) => {
      const [, code, , errors = ''] = row.split('|');
      return Array.from(errors.matchAll(/`(\w+)`/g), ([, error]) => [error, Number(code)] as const);
    });
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(CODES.map((code) => [code, exitCodeOf(code)])));
  });

  test('shows only valid command lines', () => {
    const lines = blocks('sh').flatMap((code) => code.match(/migrate-invoke [^#|\n]*/g) ?? []);
    expect(lines.length).toBeGreaterThan(7);
    for (const line of lines.filter((one) => !one.includes('@'))) {
      expect(parseArguments(line.trim().split(/\s+/).slice(1))).toMatchObject({ kind: 'tenants' });
    }
  });

  test('shows only documents that match the schema', () => {
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
    const documents = blocks('json');
    expect(documents).toHaveLength(2);
    for (const document of documents) expect([validate(JSON.parse(document)), validate.errors]).toEqual([true, null]);
  });
});
