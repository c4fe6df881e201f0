import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { startService } from '../../lib/local/processes/service';
import { projectDirectory } from './tools';

/** MiniStack: an AWS on this machine, which runs Lambda functions as processes. */
export interface MiniStack {
  readonly url: string;
  stop(): Promise<void>;
}

export const REGION = 'eu-central-1';

/** Starts MiniStack with its files in `folder/ministack`; `folder` is removed when it is stopped. */
export async function startMiniStack(python: string, folder: string): Promise<MiniStack> {
  const own = path.join(folder, 'ministack');
  mkdirSync(own);
  const service = await startService({
    name: 'MiniStack',
    command: python,
    args: () => ['-m', 'ministack'],
    env: (port) => ({
      ...neutralEnvironment(process.env),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: REGION,
      LAMBDA_EXECUTOR: 'local',
      // It would listen on the fixed port 8883.
      IOT_MTLS_ENABLED: '0',
      TMPDIR: own,
      STATE_DIR: path.join(own, 'state'),
      S3_DATA_DIR: path.join(own, 's3'),
      // Functions find `node` on PATH, and the AWS SDK here, as they find it in Lambda's own runtime.
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`,
      NODE_PATH: path.join(projectDirectory, 'node_modules'),
    }),
    cwd: own,
    folder,
    logFile: path.join(own, 'ministack.log'),
    isReady: (port) =>
      fetch(`http://127.0.0.1:${port}/_ministack/health`).then(
        (response) => response.ok,
        () => false,
      ),
  });
  return { url: `http://127.0.0.1:${service.port}`, stop: () => service.end() };
}

/**
 * This environment without what would lead to a real AWS account, lend packages to a Python that has to do without, or change what a
 * command shows: the same in a CI as on a desk.
 */
export function neutralEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const decides = /^(AWS_|CDK_|PYTHON|VIRTUAL_ENV|GITHUB_|GITLAB_|CI_|CI$|NO_COLOR$|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !decides.test(name)));
}
