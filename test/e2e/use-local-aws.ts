import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { clientOptions, type LocalAws, withLocalAws } from '../../examples/local-aws';

/**
 * A local AWS for all tests of a file, bootstrapped.
 *
 * @param prepare runs once, before the tests
 * @param bootstrap what a deploy needs of `cdk bootstrap`, or that command
 */
export function useLocalAws<T>(
  prepare: (aws: LocalAws) => Promise<T>,
  bootstrap: (aws: LocalAws) => Promise<void> = makeBucketAndVersion,
): { readonly aws: LocalAws; readonly prepared: T } {
  const shared: { aws?: LocalAws; prepared?: T } = {};
  let stop: () => void = () => {};
  let stopped: Promise<void> = Promise.resolve();

  beforeAll(async () => {
    await new Promise<void>((resolve, reject) => {
      stopped = withLocalAws(async (aws) => {
        await bootstrap(aws);
        Object.assign(shared, { aws, prepared: await prepare(aws) });
        resolve();
        await new Promise<void>((release) => {
          stop = release;
        });
      });
      stopped.catch(reject);
    });
  });

  afterAll(async () => {
    stop();
    await stopped;
  });

  return shared as { aws: LocalAws; prepared: T };
}

/** The bucket for packages and the version that a deploy asks for. The command takes as long as a synth. */
async function makeBucketAndVersion({ ministack: { url }, region }: LocalAws): Promise<void> {
  const s3 = new S3Client({ ...clientOptions(url), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: `cdk-hnb659fds-assets-000000000000-${region}` }));
  const scope = `test/20260101/${region}/ssm/aws4_request`;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': 'AmazonSSM.PutParameter',
    },
    body: JSON.stringify({ Name: '/cdk-bootstrap/hnb659fds/version', Value: '30', Type: 'String' }),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** Fails with everything that a command said. */
export function mustSucceed({ code, output }: { code: number; output: string }): void {
  if (code !== 0) throw new Error(`exit code ${code}:\n${output}`);
}
