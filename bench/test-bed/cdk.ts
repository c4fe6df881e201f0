import path from 'node:path';
import { projectDirectory } from '../../examples/local-aws';
import type { Command } from './test-bed';

/** The CDK's command line. */
export function cdk(args: readonly string[]): Command {
  const command = path.join(projectDirectory, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  return { command: process.execPath, args: [command, ...args, '--no-notices', '--no-color'], cwd: projectDirectory };
}

/** `--app` for one of the apps in bench/apps. */
export function app(name: string): readonly string[] {
  return ['--app', `node --import tsx bench/apps/${name}.ts`];
}

/** `-c` for all of a context. */
export function context(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
