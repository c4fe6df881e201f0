/* Names that two rooms must agree on: files, environment variables, functions, state machines. */

/** Version of the wire shapes. Increase it if an old reader would misunderstand a new answer. */
export const CONTRACT_VERSION = 1;

/** Where Lambda finds the runner inside the package. */
export const HANDLER = 'cdk_alembic.handler.handler';

/** The manifest that packaging writes for the runner; relative to the package's root. */
export const MANIFEST_FILE = 'cdk_alembic/manifest.json';

/** Versions of the backend's distributions that the runner's tests run: the oldest, the first that is too new, and both in words. */
export const SUPPORTED_VERSIONS: Readonly<
  Record<string, { readonly from: string; readonly below?: string; readonly text: string }>
> = {
  alembic: { from: '1.8.0', text: 'Alembic 1.8 or later' },
  sqlalchemy: { from: '1.4.0', below: '2.2', text: 'SQLAlchemy 1.4, 2.0 and 2.1' },
};

/** Modules of the PostgreSQL drivers that the runner supports. */
export const DRIVERS: readonly string[] = ['psycopg', 'psycopg2', 'pg8000', 'asyncpg'];

/** What to do about a module that env.py or a revision imports and the Python does not have. */
export const INSTALL_BACKEND =
  'install the backend with its dependencies, or pass the Python that has them with --python or the setting "python"';

/** Environment variable of the function that holds {@link RunnerSettings} as JSON. */
export const SETTINGS_VARIABLE = 'CDK_ALEMBIC_SETTINGS';

/** The container's module, and the environment variable with its request as JSON. */
export const TASK_MODULE = 'cdk_alembic.task';
export const REQUEST_VARIABLE = 'CDK_ALEMBIC_REQUEST';

/** Folders of the package: of the runner, of the backend, and of the backend's dependencies. */
export const RUNNER_DIRECTORY = 'cdk_alembic';
export const BACKEND_DIRECTORY = 'backend';
export const DEPENDENCIES_DIRECTORY = 'site-packages';

export const DEFAULT_APP_NAME = 'template-saas';

/** Lambda's limit for a function name, https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
export const MAX_FUNCTION_NAME_LENGTH = 64;

/** Name of the function of a stage. */
export function functionName(appName: string, stage: string): string {
  return `${appName}-api-migrate-lambda-${stage}`;
}

/** The start of a stage's command line. */
export function invokeCommand(appName: string, stage: string): string {
  return `npx migrate-invoke --stage ${stage}${appName === DEFAULT_APP_NAME ? '' : ` --app-name ${appName}`}`;
}

/** Name of the state machine that runs a function's revisions in a container. Step Functions allows 80 characters. */
export function containerStateMachineName(ofFunction: string): string {
  return `${ofFunction}-container`;
}

/** All problems of a stage and an app name; empty: they are valid. @param name the longest name made from them */
export function nameProblems(appName: string, stage: string, name = functionName(appName, stage)): string[] {
  const problems: string[] = [];
  const allowed = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
  const rule = 'letters, digits, "-" and "_", starting with a letter or digit';
  if (!allowed.test(stage)) problems.push(`the stage "${stage}" is not a usable name: use ${rule}`);
  if (!allowed.test(appName)) problems.push(`the app name "${appName}" is not a usable name: use ${rule}`);
  if (name.length > MAX_FUNCTION_NAME_LENGTH) {
    problems.push(
      `the function name "${name}" has ${name.length} characters and Lambda allows ${MAX_FUNCTION_NAME_LENGTH}: ` +
        `shorten the stage or the app name by ${name.length - MAX_FUNCTION_NAME_LENGTH}`,
    );
  }
  return problems;
}
