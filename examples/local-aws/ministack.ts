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
      // Otherwise it listens on the fixed port 8883.
      IOT_MTLS_ENABLED: '0',
      TMPDIR: own,
      STATE_DIR: path.join(own, 'state'),
      S3_DATA_DIR: path.join(own, 's3'),
      // Functions find `node` on PATH and the AWS SDK here, as in Lambda's runtime.
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
 * This environment without variables that lead to a real AWS account, add packages to a Python, or change a command's output, so that
 * results are the same in CI and on a desk.
 */
export function neutralEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const decides = /^(AWS_|CDK_|PYTHON|VIRTUAL_ENV|GITHUB_|GITLAB_|CI_|CI$|NO_COLOR$|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !decides.test(name)));
}
