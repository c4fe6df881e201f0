import type { LambdaClient } from '@aws-sdk/client-lambda';

/** The owner of the credentials. */
export interface CallerIdentity {
  readonly account: string;
  readonly arn: string;
}

/** Any SDK client, for its credentials and region. */
export interface Caller {
  readonly config: Pick<LambdaClient['config'], 'credentials' | 'region'>;
}

/** An unresponsive STS must not delay a migration. */
const PATIENCE_MS = 2_000;

/**
 * Calls STS, which requires no permission. Throws the SDK's error, or one that says that STS did not answer in time.
 *
 * @param client supplies credentials and region
 * @param endpoint replaces STS's endpoint
 */
export async function callerIdentity(client: Caller, endpoint?: string): Promise<CallerIdentity> {
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const { credentials, region } = client.config;
  const sts = new STSClient({ credentials, region, endpoint, maxAttempts: 1 });
  const abortSignal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const { Account, Arn } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal });
    return { account: Account ?? '', arn: Arn ?? '' };
  } catch (error) {
    if (abortSignal.aborted) throw new Error(`STS did not answer within ${PATIENCE_MS / 1000} s`);
    throw error;
  } finally {
    sts.destroy();
  }
}
