import { cpSync } from 'node:fs';
import path from 'node:path';
import type { LocalAws } from '../../examples/local-aws';
import { sampleBackend } from '../../examples/local-aws/sample-backend';
import { DEPLOY } from '../../examples/local-aws/sample-stage';
import { projectDirectory } from '../../examples/local-aws/tools';
import type { RunResult } from '../../lib/local/processes/run';

export interface TenantDeployOptions {
  readonly onDeploy?: 'wait' | 'handOver' | 'off';
  /** @default false */
  readonly approval?: boolean;
}

/** One stage of the sample with tenants on the local AWS, with a database of its own. */
export interface TenantStage {
  deploy(options?: TenantDeployOptions): Promise<RunResult>;
  /** Rows of one statement in the stage's database. */
  rows<Row = Record<string, unknown>>(sql: string): Promise<Row[]>;
  /** How many tenants have which revision in their version table. */
  positions(): Promise<Record<string, number>>;
  /** Adds a migration. @param upgrade lines of Python */
  write(revision: string, message: string, upgrade: readonly string[]): void;
  /** The newest revision. */
  head(): string;
}

interface Tenant {
  readonly name: string;
  readonly schema: string;
}

/** Makes the database with a schema for each tenant, and the control table that lists them; deploys nothing yet. */
export async function createTenantStage(aws: LocalAws, stage: string, tenants: readonly Tenant[]): Promise<TenantStage> {
  const directory = path.join(aws.folder, 'back');
  cpSync(path.join(projectDirectory, 'examples/template-saas-tenants/back'), directory, { recursive: true });
  const locked = await aws.run('uv', ['lock', '--directory', directory]);
  if (locked.code !== 0) throw new Error(`uv can't lock the dependencies of the sample with tenants:\n${locked.output}`);
  const backend = sampleBackend(directory);
  const database = `template_saas_tenants_${stage}`;
  const databaseSecretArn = await aws.createDatabaseWithSecret(database);
  const rows: TenantStage['rows'] = (sql) => aws.postgres.query(database, sql);
  await rows('CREATE TABLE public.tenants (name text PRIMARY KEY, schema text NOT NULL)');
  for (const { name, schema } of tenants) {
    await rows(`CREATE SCHEMA ${schema}`);
    await rows(`INSERT INTO public.tenants VALUES ('${name}', '${schema}')`);
  }
  const { architecture, pythonVersion } = aws;
  const settings = { stage, databaseSecretArn, backend: directory, architecture, pythonVersion, pauseSeconds: 1 };
  return {
    rows,
    write: (revision, message, upgrade) => void backend.writeMigration({ revision, message, upgrade }),
    head: () => backend.revisions().at(-1) as string,
    deploy: (options = {}) => {
      const context = Object.entries({ ...settings, ...options }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const app = ['--app', 'node --import tsx examples/template-saas-tenants/infra/app.ts'];
      const output = ['--output', path.join(aws.folder, 'cdk.out'), '--no-color', '--no-notices'];
      return aws.cdk([...DEPLOY, ...app, ...context, ...output], { cwd: projectDirectory });
    },
    positions: async () => {
      const positions: Record<string, number> = {};
      const tables = await rows<{ schemaname: string }>("SELECT schemaname FROM pg_tables WHERE tablename = 'alembic_version'");
      if (!tables.length) return positions;
      const union = tables.map(({ schemaname }) => `SELECT version_num FROM ${schemaname}.alembic_version`).join(' UNION ALL ');
      for (const { version_num } of await rows<{ version_num: string }>(union)) {
        positions[version_num] = (positions[version_num] ?? 0) + 1;
      }
      return positions;
    },
  };
}
