import path from 'node:path';
import { copySampleBackend, createSampleStage, projectDirectory } from '../../examples/local-aws';
import { mustSucceed, useLocalAws } from './use-local-aws';

describe('a stage with a driftSchedule', () => {
  const shared = useLocalAws(async (aws) => {
    const backend = await copySampleBackend(aws, 'back');
    return createSampleStage(aws, 'dev', backend, { cwd: path.join(projectDirectory, 'test/e2e/schedule-app') });
  });

  const logs = async (): Promise<string> => {
    const scope = `test/20260101/${shared.aws.region}/logs/aws4_request`;
    const response = await fetch(shared.aws.ministack.url, {
      method: 'POST',
      headers: {
        Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': 'Logs_20140328.FilterLogEvents',
      },
      body: JSON.stringify({ logGroupName: '/aws/lambda/template-saas-api-migrate-lambda-dev' }),
    });
    return response.text();
  };

  it('is called by EventBridge, and its log has what was changed by hand', async () => {
    const stage = shared.prepared;
    mustSucceed(await stage.deploy());
    await stage.rows('ALTER TABLE users ADD by_hand integer');
    let text = '';
    while (!text.includes('drift_found')) {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      text = await logs();
    }
    expect(text).toContain('column users.by_hand');
  });
});
