import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { endAllLeashed } from './leashed';
import { type MiniStack, REGION, startMiniStack, withoutAws } from './ministack';
import { type Postgres, startPostgres } from './postgres';
import { type RunOptions, type RunResult, run } from './run';
import { pythonVersion, type Tool, toolPython, uvDirectory } from './tools';

/** A PostgreSQL and an AWS on this machine, for as long as the callback of {@link withLocalAws} runs. */
export interface LocalAws {
  readonly postgres: Postgres;
  readonly ministack: MiniStack;
  readonly region: string;
  /** The Python version that functions run on here, such as `3.12`. */
  readonly pythonVersion: string;
  /** The architecture that functions run on here, as Lambda names it. */
  readonly architecture: 'arm64' | 'x86_64';
  /** A folder for anything, removed in the end. */
  readonly folder: string;
  /** The environment of commands that shall use this AWS. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command with this AWS as its AWS. */
  run(command: string, args: readonly string[], options?: Partial<RunOptions>): Promise<RunResult>;
  /** Runs the CDK's command line. */
  cdk(args: readonly string[], options?: Partial<RunOptions>): Promise<RunResult>;
  /** Makes a database and a secret with its address, of the shape that RDS gives it. Returns the secret's ARN. */
  createDatabaseWithSecret(database: string): Promise<string>;
}

/** Options of the SDK's clients for an AWS at `url`. */
export function clientOptions(url: string) {
  return { endpoint: url, region: REGION, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

/**
 * Starts both servers, calls back, and stops everything that was started, whatever happens: an error, Ctrl-C, or the end of
 * this process.
 */
export async function withLocalAws<T>(use: (aws: LocalAws) => Promise<T>, onInstall?: (tool: Tool) => void): Promise<T> {
  return endingAllOnSignals(async () => {
    const [python, uv] = [await toolPython('ministack', onInstall), await uvDirectory(onInstall)];
    return withFolder(async (folder) => {
      // PostgreSQL runs as another user when this process is root; that user has to reach its own folder below.
      chmodSync(folder, 0o711);
      const [postgres, ministack, version] = await Promise.all([
        startPostgres(folder),
        startMiniStack(python, folder),
        pythonVersion(python),
      ]);
      return use(localAws(folder, postgres, ministack, version, uv));
    });
  });
}

/** Calls back with a new folder, and removes it once nothing runs any more. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'cdk-alembic-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  process.once('exit', remove);
  try {
    return await use(folder);
  } finally {
    await endAllLeashed();
    remove();
    process.off('exit', remove);
  }
}

function localAws(folder: string, postgres: Postgres, ministack: MiniStack, version: string, uv: string): LocalAws {
  const env: NodeJS.ProcessEnv = {
    ...withoutAws(process.env),
    PATH: `${uv}${path.delimiter}${process.env.PATH}`,
    TMPDIR: folder,
    AWS_ENDPOINT_URL: ministack.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_HOME: path.join(folder, 'cdk-home'),
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
  const runHere: LocalAws['run'] = (command, args, options) => run(command, args, { env, folder, ...options });
  const secrets = new SecretsManagerClient(clientOptions(ministack.url));
  return {
    postgres,
    ministack,
    region: REGION,
    pythonVersion: version,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    folder,
    env,
    run: runHere,
    cdk: (args, options) => runHere(process.execPath, [require.resolve('aws-cdk/bin/cdk'), ...args], options),
    createDatabaseWithSecret: async (database) => {
      await postgres.createDatabase(database);
      const { host, port, user: username, password } = postgres;
      const address = { engine: 'postgres', host, port, username, password, dbname: database };
      const secret = new CreateSecretCommand({ Name: `${database}-database`, SecretString: JSON.stringify(address) });
      return (await secrets.send(secret)).ARN as string;
    },
  };
}

async function endingAllOnSignals<T>(use: () => Promise<T>): Promise<T> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const onSignal = (signal: (typeof signals)[number]): void => {
    endAllLeashed().finally(() => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await use();
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
