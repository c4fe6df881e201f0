import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import { type Check, type CheckContext, type Count, jestCheck } from './checks';

const { peerDependencies } = JSON.parse(readFileSync(path.join(projectDirectory, 'package.json'), 'utf8'));
const oldest = (name: string): string => peerDependencies[name].replace('^', '');

/** The oldest that package.json accepts. */
export const OLDEST_CDK = oldest('aws-cdk-lib');

/** Its `Validations` reject ids that older and newer ones accept. */
export const STRICT_CDK = '2.255.0';

/** Synthesizes every layout of stacks with an older version of the CDK. */
export function olderCdkCheck(context: CheckContext, version: string): Check {
  return async (say): Promise<Count> => {
    say(`aws-cdk-lib ${version}`);
    const cwd = path.join(context.folder, `cdk-${version}`);
    mkdirSync(cwd);
    writeFileSync(path.join(cwd, 'package.json'), '{ "private": true }');
    const packages = [`aws-cdk-lib@${version}`, `constructs@${oldest('constructs')}`];
    await mustRun('npm', ['install', '--no-audit', '--no-fund', ...packages], { ...context, cwd });
    const env = { ...context.env, CDK_MODULES: path.join(cwd, 'node_modules') };
    return jestCheck({ ...context, env }, 'older-cdk', 1)(say);
  };
}
