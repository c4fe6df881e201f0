/*
 * The CDK app of cdk.json: the sample's. A team has uv and commits its lock file; a fresh clone gets both here.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { commandDirectory, projectDirectory } from '../examples/local-aws/tools';
import { mustRun } from '../lib/local/processes/run';

async function prepare(): Promise<void> {
  const env = process.env;
  const backend = path.join(projectDirectory, 'examples', 'template-saas', 'back');
  const uv = await commandDirectory('uv', (tool) => console.error(`installing ${tool} into .cache/tools (only the first time)`));
  env.PATH = `${env.PATH}${path.delimiter}${uv}`;
  if (!existsSync(path.join(backend, 'uv.lock'))) await mustRun('uv', ['lock', '--directory', backend], { env });
}

prepare()
  .then(() => import('../examples/template-saas/infra/app.js'))
  .catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
