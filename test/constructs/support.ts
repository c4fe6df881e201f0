import { Stack, type StackProps } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { AlembicMigration, type AlembicMigrationProps, MigrationCode, MigrationDatabase } from '../../lib';
import { type RunnerSettings, SETTINGS_VARIABLE } from '../../lib/contract';
import { copyOf, revisionFile, temporaryDirectory, uvWithoutPython, writeFiles } from '../packaging/support';
import { testApp } from './app';

export { copyOf, revisionFile, temporaryDirectory, writeFiles };

const LAID_OUT = {
  'backend/alembic.ini': '[alembic]\nscript_location = %(here)s/alembic\n',
  'backend/alembic/env.py': '',
  'backend/alembic/versions/a1.py': revisionFile('a1', null),
  'backend/alembic/versions/b2.py': revisionFile('b2', 'a1'),
  'site-packages/alembic/__init__.py': '',
  'site-packages/alembic/config.py': 'Config = None\n',
};

/** For a file with packages that can't be loaded: it runs the same where the function's Python is installed. */
export function withoutPython(): void {
  beforeAll(() => {
    process.env.UV = uvWithoutPython();
  });
}

/** A package as a user's own build lays it out: made in no time, so that tests of the template need no uv. */
export function laidOutBackend(files: Record<string, string> = {}): string {
  return writeFiles(temporaryDirectory(), { ...LAID_OUT, ...files });
}

let shared: string | undefined;

export type Options = Partial<AlembicMigrationProps> | ((stack: Stack) => Partial<AlembicMigrationProps>);

/** Nothing is packaged for a test of the template; its hashes are the same. */
const NO_PACKAGING = { [BUNDLING_STACKS]: [] };

/** A stack with one migration; what is not said has a small default. */
export function migrationStack(
  options: Options = {},
  context: Record<string, unknown> = NO_PACKAGING,
  props: StackProps = {},
): { stack: Stack; migration: AlembicMigration } {
  const app = testApp({ context });
  const stack = new Stack(app, 'Stack', props);
  shared ??= laidOutBackend();
  const migration = new AlembicMigration(stack, 'Migration', {
    stage: 'dev',
    code: MigrationCode.fromDirectory(shared),
    database: MigrationDatabase.fromEnvironment(),
    ...(typeof options === 'function' ? options(stack) : options),
  });
  return { stack, migration };
}

export function templateOf(options: Options = {}): Template {
  return Template.fromStack(migrationStack(options).stack);
}

/** The errors and warnings that a synth shows. */
export function findings(options: Options = {}, props: StackProps = {}): { errors: string[]; warnings: string[] } {
  // Some errors of a test's own code are found when it is packaged.
  const context = 'code' in options ? {} : NO_PACKAGING;
  const annotations = Annotations.fromStack(migrationStack(options, context, props).stack);
  const texts = (found: ReturnType<Annotations['findError']>) => found.map(({ entry }) => String(entry.data));
  return {
    errors: texts(annotations.findError('*', Match.anyValue())),
    warnings: texts(annotations.findWarning('*', Match.anyValue())),
  };
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
  readonly DependsOn?: readonly string[];
}

export function resourcesOf(template: Template, type?: string): [string, Resource][] {
  const all = Object.entries(template.toJSON().Resources as Record<string, Resource>);
  return type ? all.filter(([, resource]) => resource.Type === type) : all;
}

/** The function that migrates. */
export function functionOf(template: Template): Resource {
  const found = resourcesOf(template, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.FunctionName !== undefined,
  );
  if (!found) throw new Error('the template has no function with a name');
  return found[1];
}

/** What the construct tells the runner; what only the deploy knows stands as 0, be it a text or a number. */
export function settingsOf(template: Template): RunnerSettings {
  const value = functionOf(template).Properties.Environment.Variables[SETTINGS_VARIABLE];
  const parts: unknown[] = typeof value === 'string' ? [value] : value['Fn::Join'][1];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : '0')).join(''));
}
