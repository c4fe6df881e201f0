/*
 * npm run integ -- --region <region>
 *
 * Deploys the sample's backend to the AWS account of this shell, fails, repairs, rolls back and destroys. CONTRIBUTING.md has its cost.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { commandDirectory, projectDirectory } from '../../examples/local-aws';
import { mustRun, run } from '../../lib/local/processes/run';
import { stageCdkAlembic } from '../../scripts/packages/cdk-alembic';
import { APP, appEnvironment, backendIn, prepare } from './prepare';

async function integ(region: string): Promise<number> {
  const folder = path.join(projectDirectory, '.cache', 'integ');
  rmSync(folder, { recursive: true, force: true });
  process.env.PATH = `${await commandDirectory('uv')}${path.delimiter}${process.env.PATH}`;
  process.env.AWS_REGION = region;
  const staged = path.join(projectDirectory, 'dist/packages');
  await stageCdkAlembic(staged);
  const pack = ['pack', '--silent', '--pack-destination', staged];
  const { stdout } = await mustRun('npm', pack, { env: process.env, cwd: path.join(staged, 'cdk-alembic') });
  await prepare(folder, path.join(staged, stdout.trim()));
  await backendIn(folder);
  const runner = ['integ-runner', '--directory', folder, '--language', 'javascript', '--app', 'node {filePath}', '--strict', APP];
  const options = ['--parallel-regions', region, '--force', '--update-on-failed', '--no-update-workflow', '--verbose'];
  const { code } = await run('npx', [...runner, ...options], { env: appEnvironment(folder), cwd: folder, onLine: console.log });
  return code;
}

const [flag, region] = process.argv.slice(2);
if (flag !== '--region' || !region) {
  console.error('name the region of the AWS account in this shell: npm run integ -- --region eu-west-1');
  process.exitCode = 2;
} else {
  integ(region).then(
    (code) => {
      process.exitCode = code;
    },
    (error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
