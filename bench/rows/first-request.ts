import path from 'node:path';
import { projectDirectory, toolPython } from '../../examples/local-aws';
import type { Row } from '../row';
import { startFakeLambda } from '../test-bed/fake-lambda';
import { announce } from '../test-bed/test-bed';

const FUNCTION = 'template-saas-api-migrate-lambda-dev';

export const firstRequest: Row = {
  name: 'first-request',
  title: '`migrate-invoke`, from start to first request',
  unit: 'ms',
  runs: 9,
  // The part that is ours: Node starts before any of it runs.
  goals: [{ atMost: 150, over: 'empty Node' }],
  async prepare(testBed) {
    const aws = path.join(path.dirname(await toolPython('awscli', announce)), 'aws');
    const command = path.join(projectDirectory, 'dist/bin/migrate-invoke.js');
    const fakeLambda = await startFakeLambda(FUNCTION);
    const env = {
      AWS_ENDPOINT_URL: fakeLambda.url,
      AWS_REGION: 'eu-central-1',
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const untilRequest = async (executable: string, args: readonly string[]): Promise<number> => {
      const { startedAt } = await testBed.timed({ command: executable, args, env });
      return fakeLambda.firstInvoke() - startedAt;
    };
    return [
      { name: 'cdk-alembic', run: () => untilRequest(process.execPath, [command, '--stage', 'dev']) },
      {
        name: 'aws lambda invoke',
        run: () => untilRequest(aws, ['lambda', 'invoke', '--function-name', FUNCTION, '/dev/null']),
      },
      { name: 'empty Node', run: async () => (await testBed.timed({ command: process.execPath, args: ['-e', '0'] })).ms },
    ];
  },
};
