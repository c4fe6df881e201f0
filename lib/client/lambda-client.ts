import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { MigrateError } from '../contract/failure';

/** Where the function is and who asks; the SDK's own configuration fills what is left out. */
export interface ConnectionOptions {
  /** @default - the SDK's: AWS_REGION, then the profile's region */
  readonly region?: string;
  /** Profile of the shared AWS configuration files. @default - the SDK's: AWS_PROFILE, then `default` */
  readonly profile?: string;
  /** Address of Lambda's API. @default - the region's own, or AWS_ENDPOINT_URL */
  readonly endpoint?: string;
}

const CONNECTION_TIMEOUT_MS = 5_000;

/** Lambda ends a call after 900 s: a socket that is silent for longer than this has no answer coming. */
export const SOCKET_TIMEOUT_MS = 910_000;

/** NAT gateways drop flows that are idle for 350 s, and a call is idle while a long statement runs. */
const KEEP_ALIVE_MS = 30_000;

/** A Lambda client that is fit for calls of many minutes. */
export function lambdaClient(options: ConnectionOptions): LambdaClient {
  const agent = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
  const config: LambdaClientConfig = {
    region: options.region,
    profile: options.profile,
    endpoint: options.endpoint,
    // The SDK counts a dropped connection as worth a retry: the migration would be started again while it still runs.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
  return new LambdaClient(config);
}

/** Refuses a caller's own client that would send a call again whose connection was lost. */
export async function checkAttempts(client: LambdaClient): Promise<void> {
  const attempts = await client.config.maxAttempts();
  if (attempts === 1) return;
  throw new MigrateError(
    'invalid_usage',
    `the given LambdaClient makes up to ${attempts} attempts, so a dropped connection would start a second run`,
    'make it with maxAttempts: 1',
  );
}

/** The client's region; none is an error with a next step. */
export async function regionOf(client: { readonly config: Pick<LambdaClient['config'], 'region'> }): Promise<string> {
  try {
    return await client.config.region();
  } catch (cause) {
    const next = 'give --region (option `region` of the client), set AWS_REGION, or use a profile that has a region';
    throw new MigrateError('invalid_usage', 'the AWS region is not set', next, { cause });
  }
}
