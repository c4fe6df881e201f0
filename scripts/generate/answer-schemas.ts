import { definitionsOf, type Types } from './types';

const ANSWERS = ['MigrateAnswer', 'MigrateFailure', 'TenantAnswer', 'TenantList', 'TenantApprovalAnswer', 'TenantRunSummary'];

/** What the client and lambda/tenants check answers by. */
export function answerSchemas(types: Types): Record<string, string> {
  const schemas = Object.assign({}, ...ANSWERS.map((name) => definitionsOf(types, name)));
  const text = [
    '/* Generated from the types of lib/contract by `npm run generate`. */',
    "import type { Definitions } from './json-schema';",
    `export const ANSWER_SCHEMAS: Definitions = ${JSON.stringify(schemas, withoutDescriptions)};`,
  ];
  return { 'lib/contract/checks/answer-schemas.ts': text.join('\n\n') };
}

function withoutDescriptions(key: string, value: unknown): unknown {
  return key === 'description' && typeof value === 'string' ? undefined : value;
}
