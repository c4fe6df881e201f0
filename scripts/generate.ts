/*
 * `npm run generate`: writes the files that are generated from lib/contract, so that each rule is written once. The test
 * test/contract/generated.test.ts says when one of the files is out of date.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerSchemas } from './generate/answer-schemas';
import { documentSchemas } from './generate/document-schemas';
import { runnerRules } from './generate/runner-rules';
import { typesOf } from './generate/types';

const ROOT = join(__dirname, '..');

/** Each generated file by its path, relative to the repository. */
export function generated(): Record<string, string> {
  const types = typesOf(ROOT);
  const files = { ...answerSchemas(types), ...documentSchemas(types) };
  return {
    'lambda/migrate/cdk_alembic/protocol/rules.py': runnerRules(),
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [path, formatted(path, text)])),
  };
}

/** The generated files that do not match this source. */
export function outOfDate(): string[] {
  return Object.entries(generated())
    .filter(([path, text]) => readFileSync(join(ROOT, path), 'utf8') !== text)
    .map(([path]) => path);
}

function formatted(path: string, input: string): string {
  const biome = join(ROOT, 'node_modules/.bin/biome');
  return execFileSync(biome, ['format', `--stdin-file-path=${path}`], { input, cwd: ROOT, encoding: 'utf8' });
}

if (require.main === module) {
  for (const [path, text] of Object.entries(generated())) writeFileSync(join(ROOT, path), text);
}
