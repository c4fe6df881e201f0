import type { SFNClient, SFNClientConfig } from '@aws-sdk/client-sfn';

/** The SDK of Step Functions, passed in so it is loaded only if needed. */
export type SfnSdk = typeof import('@aws-sdk/client-sfn');

const CONNECTION_TIMEOUT_MS = 5_000;

/** Calls of Step Functions are short: after this long without a response, none will arrive. */
const SOCKET_TIMEOUT_MS = 15_000;

/** Creates a client of Step Functions. Its calls may be retried: they read, or start a run under its name. */
export function stepFunctions({ SFNClient: Client }: SfnSdk, connection: SFNClientConfig): SFNClient {
  const requestHandler = { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS };
  return new Client({ ...connection, requestHandler });
}
