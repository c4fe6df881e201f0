import { readFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, projectDirectory } from '../../examples/local-aws';
import { cdkAlembic } from './cdk-alembic';

test('docs/api.md matches the source', async () => {
  const script = ['tsx', 'scripts/packages/api-reference.ts', (await cdkAlembic()).npm];
  const { stdout } = await mustRun('npx', ['--no', ...script], { env: process.env, cwd: projectDirectory });
  // Only `npm run api` changes it.
  expect(stdout.trimEnd()).toBe(readFileSync(path.join(projectDirectory, 'docs/api.md'), 'utf8').trimEnd());
});
