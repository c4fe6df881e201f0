import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { MigrateError } from '../contract/failure';
import { checkProfile } from './profile';

/** Region, credentials and endpoint. The SDK's configuration supplies omitted values. */
export interface ConnectionOptions {
  /** @default - the SDK's: AWS_REGION, then the profile's region */
  readonly region?: string;
  /** Profile of the shared AWS configuration files. @default - the SDK's: AWS_PROFILE, then `default` */
  readonly profile?: string;
  /** Endpoint of Lambda's API. @default - AWS_ENDPOINT_URL, then the region's endpoint */
  readonly endpoint?: string;
}

const CONNECTION_TIMEOUT_MS = 5_000;

/** Lambda ends a call after 900 s: after this long without a response, none will arrive. */
export const SOCKET_TIMEOUT_MS = 910_000;

/** NAT gateways drop flows that are idle for 350 s, and a call is idle while a long statement runs. */
const KEEP_ALIVE_MS = 30_000;

/** Creates a Lambda client for calls of many minutes. */
export function lambdaClient(options: ConnectionOptions): LambdaClient {
  const agent = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
  const config: LambdaClientConfig = {
    region: options.region,
    profile: profileOf(options),
    endpoint: options.endpoint,
    // The SDK would retry a dropped connection, and start a second run during the first one.
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

/** Throws if a given client would retry a call after a dropped connection. */
export async function checkAttempts(client: LambdaClient): Promise<void> {
  const attempts = await client.config.maxAttempts();
  if (attempts === 1) return;
  throw new MigrateError(
    'invalid_usage',
    `the given LambdaClient makes up to ${attempts} attempts, so a dropped connection would start a second run`,
    'create it with maxAttempts: 1',
  );
}

/** The profile that the SDK uses; undefined: `default`, which may be missing. */
export function profileOf({ profile }: ConnectionOptions): string | undefined {
  const name = profile || process.env.AWS_PROFILE;
  return name === 'default' ? undefined : name;
}

/** Any SDK client. */
interface Client {
  readonly config: Pick<LambdaClient['config'], 'region'> & { readonly profile?: string };
}

/** The client's region. Throws if there is none, or if the client's profile does not exist. */
export async function regionOf(client: Client): Promise<string> {
  const { profile } = client.config;
  if (profile) checkProfile(profile);
  try {
    return await client.config.region();
  } catch (cause) {
    const next = 'pass --region (or `region` to the client), set AWS_REGION, or use a profile with a region';
    throw new MigrateError('invalid_usage', 'the AWS region is not set', next, { cause });
  }
}
