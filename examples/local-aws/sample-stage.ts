import path from 'node:path';
import type { RunOptions, RunResult } from '../../lib/local/processes/run';
import type { LocalAws } from './local-aws';
import type { SampleBackend } from './sample-backend';
import { projectDirectory } from './tools';

export interface DeployOptions extends Partial<RunOptions> {
  /** Ship only the functions' code, bypassing CloudFormation. @default false */
  readonly hotswap?: boolean;
}

/** The command, without a change set: comparing templates for one takes as long as everything that CloudFormation does here. */
export const DEPLOY = ['deploy', '--require-approval', 'never', '--method', 'direct'];

/** One stage of the sample on the local AWS, with its own database. */
export interface SampleStage {
  readonly stage: string;
  readonly database: string;
  /** `cdk deploy` of the app that cdk.json names. */
  deploy(options?: DeployOptions): Promise<RunResult>;
  /** `cdk destroy` of it. */
  destroy(options?: Partial<RunOptions>): Promise<RunResult>;
  /** Rows of one statement in the stage's database. */
  rows<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The revisions in Alembic's version table; none if there is no such table. */
  version(): Promise<string[]>;
  /** Tables of the schema `public`, without Alembic's own. */
  tables(): Promise<string[]>;
  /** Columns of a table of the schema `public`. */
  columns(table: string): Promise<string[]>;
}

/**
 * Creates the stage's database and secret; deploys nothing yet.
 *
 * @param app how the CDK app is run; by default it is the one in this repository's cdk.json
 */
export async function createSampleStage(
  aws: LocalAws,
  stage: string,
  backend: SampleBackend,
  app: Partial<RunOptions> = {},
): Promise<SampleStage> {
  const database = `template_saas_${stage}`;
  const context = {
    stage,
    databaseSecretArn: await aws.createDatabaseWithSecret(database),
    backend: backend.directory,
    // Functions run on this machine, so the package must be built for it.
    architecture: aws.architecture,
    pythonVersion: aws.pythonVersion,
  };
  const contextArgs = Object.entries(context).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const cdk = (verb: readonly string[], options?: Partial<RunOptions>): Promise<RunResult> =>
    aws.cdk([...verb, ...contextArgs, '--output', path.join(aws.folder, `cdk.out-${stage}`), '--no-color', '--no-notices'], {
      cwd: projectDirectory,
      ...app,
      ...options,
    });
  const rows: SampleStage['rows'] = (sql, values) => aws.postgres.query(database, sql, values);
  const names = async (sql: string, values?: readonly unknown[]): Promise<string[]> =>
    (await rows<{ name: string }>(sql, values)).map(({ name }) => name);

  return {
    stage,
    database,
    rows,
    deploy: ({ hotswap = false, ...options } = {}) => cdk([...DEPLOY, ...(hotswap ? ['--hotswap'] : [])], options),
    destroy: (options) => cdk(['destroy', '--force'], options),
    version: async () => {
      const exists = await rows("SELECT 1 FROM pg_tables WHERE tablename = 'alembic_version'");
      return exists.length === 0 ? [] : names('SELECT version_num AS name FROM alembic_version ORDER BY 1');
    },
    tables: () =>
      names("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"),
    columns: (table) =>
      names(
        "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position",
        [table],
      ),
  };
}
