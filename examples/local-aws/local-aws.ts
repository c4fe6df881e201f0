import path from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type RunOptions, type RunResult, run } from '../../lib/local/processes/run';
import { withFolder } from '../../lib/local/processes/with-folder';
import { type MiniStack, neutralEnvironment, REGION, startMiniStack } from './ministack';
import { type Postgres, startPostgres } from './postgres';
import { commandDirectory, pythonVersion, type Tool, toolPython } from './tools';

/** A PostgreSQL and an AWS on this machine, while the callback of {@link withLocalAws} runs. */
export interface LocalAws {
  readonly postgres: Postgres;
  readonly ministack: MiniStack;
  readonly region: string;
  /** The Python version that functions run on here, such as `3.12`. */
  readonly pythonVersion: string;
  /** The architecture that functions run on here, as Lambda names it. */
  readonly architecture: 'arm64' | 'x86_64';
  /** A folder for temporary files, removed at the end. */
  readonly folder: string;
  /** The environment for commands that use this AWS. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command against this AWS. */
  run(command: string, args: readonly string[], options?: Partial<RunOptions>): Promise<RunResult>;
  /** Runs the CDK's command line. */
  cdk(args: readonly string[], options?: Partial<RunOptions>): Promise<RunResult>;
  /** `cdk bootstrap` of this AWS's account. */
  bootstrap(options?: Partial<RunOptions>): Promise<RunResult>;
  /** Creates a database and a secret with its address, in RDS's shape. Returns the secret's ARN. */
  createDatabaseWithSecret(database: string): Promise<string>;
}

/** MiniStack's account. */
const ACCOUNT = '000000000000';

/** Options of the SDK's clients for an AWS at `url`. */
export function clientOptions(url: string) {
  return { endpoint: url, region: REGION, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

/** Starts both servers, calls back, and stops everything, as {@link withFolder} does. */
export function withLocalAws<T>(use: (aws: LocalAws) => Promise<T>, onInstall?: (tool: Tool) => void): Promise<T> {
  return withFolder(async (folder) => {
    const [python, uv] = [await toolPython('ministack', onInstall), await commandDirectory('uv', onInstall)];
    const [postgres, ministack, version] = await Promise.all([
      startPostgres(folder),
      startMiniStack(python, folder),
      pythonVersion(python),
    ]);
    return use(localAws(folder, postgres, ministack, version, uv));
  });
}

/** The SDK prints a warning about future versions of Node in every command's output. */
const SILENCE = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

function localAws(folder: string, postgres: Postgres, ministack: MiniStack, version: string, uv: string): LocalAws {
  const env: NodeJS.ProcessEnv = {
    ...neutralEnvironment(process.env),
    PATH: `${uv}${path.delimiter}${process.env.PATH}`,
    TMPDIR: folder,
    AWS_ENDPOINT_URL: ministack.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...SILENCE,
    CDK_HOME: path.join(folder, 'cdk-home'),
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
  const runHere: LocalAws['run'] = (command, args, options) => run(command, args, { env, folder, ...options });
  const cdk: LocalAws['cdk'] = (args, options) =>
    runHere(process.execPath, [require.resolve('aws-cdk/bin/cdk'), ...args], options);
  Object.assign(process.env, SILENCE);
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
    cdk,
    // In this folder, which has no cdk.json: bootstrapping an account needs no app.
    bootstrap: (options) => cdk(['bootstrap', `aws://${ACCOUNT}/${REGION}`, '--no-color'], { cwd: folder, ...options }),
    createDatabaseWithSecret: async (database) => {
      await postgres.createDatabase(database);
      const { host, port, user: username, password } = postgres;
      const address = { engine: 'postgres', host, port, username, password, dbname: database };
      const secret = new CreateSecretCommand({ Name: `${database}-database`, SecretString: JSON.stringify(address) });
      return (await secrets.send(secret)).ARN as string;
    },
  };
}
