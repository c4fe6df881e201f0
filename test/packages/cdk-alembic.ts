import { readdirSync } from 'node:fs';
import path from 'node:path';
import { commandDirectory, mustRun, neutralEnvironment, projectDirectory, toolPython } from '../../examples/local-aws';
import { cached } from '../../scripts/packages/cached';
import { stageCdkAlembic } from '../../scripts/packages/cdk-alembic';

/** The package `cdk-alembic` of this source, as it is published. */
export interface CdkAlembic {
  /** The npm package. */
  readonly npm: string;
  readonly wheel: string;
  /** The folder to which the wheel is installed, without its dependencies. */
  readonly site: string;
}

/** What is in the package, without its texts. */
export const INPUTS = [
  ...['bin', 'dist/lambda', 'lambda/migrate', 'lib', 'schema', 'scripts'],
  ...['package.json', 'package-lock.json', 'tsconfig.json'],
];

/** Builds it, unless that was done before. */
export async function cdkAlembic(): Promise<CdkAlembic> {
  const folder = await cached('cdk-alembic', INPUTS, async (target) => {
    await stageCdkAlembic(target);
    const install = ['pip', 'install', '--quiet', '--no-deps', '--target', path.join(target, 'site'), wheelIn(target)];
    await mustRun(path.join(await commandDirectory('uv'), 'uv'), install, { env: process.env });
  });
  return { npm: path.join(folder, 'cdk-alembic'), wheel: wheelIn(folder), site: path.join(folder, 'site') };
}

function wheelIn(folder: string): string {
  const python = path.join(folder, 'cdk-alembic-python/dist');
  return path.join(python, readdirSync(python).find((name) => name.endsWith('.whl')) as string);
}

export const PYTHON_APP = path.join(projectDirectory, 'examples/template-saas-python-cdk');

/** The environment in which the app's `python3` has the CDK and the wheel. */
export async function pythonCdk(env: NodeJS.ProcessEnv = neutralEnvironment(process.env)): Promise<NodeJS.ProcessEnv> {
  const [python, { site }] = [await toolPython('python-cdk'), await cdkAlembic()];
  return {
    ...env,
    PATH: [path.dirname(python), env.PATH].join(path.delimiter),
    PYTHONPATH: site,
    // Not beside the sources: tests compare folders.
    PYTHONPYCACHEPREFIX: path.join(site, '../bytecode'),
    // Otherwise jsii prints a note on standard error first.
    JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
  };
}
