import { type FailureCode, MigrateError } from '../contract';

/** Describes an AWS call for its failure. */
export interface AwsCall {
  /** Such as `Lambda`. */
  readonly service: string;
  /** The call, such as `states:StartExecution of <arn>`. */
  readonly what: string;
  /** The failure if the called resource does not exist. @default - a rejected call */
  readonly missing?: { readonly code: FailureCode; readonly message: string; readonly next: string };
  /** Next steps that differ from the table's. */
  readonly next?: Partial<Record<Kind, string>>;
  /** Appended to each next step. */
  readonly meanwhile?: string;
}

/**
 * When a retry may succeed.
 *
 * - `when ready`: nothing was started; the function must become Active first
 * - `later`: nothing was started
 * - `if repeatable`: the call may have succeeded
 */
export type Retry = 'when ready' | 'later' | 'if repeatable';

interface Row {
  readonly code: FailureCode;
  /** Names of the SDK's errors. */
  readonly names?: RegExp;
  /** HTTP statuses with the same meaning, whatever the name. */
  readonly statuses?: (status: number) => boolean;
  /** Text of an error without an HTTP status. */
  readonly words?: RegExp;
  /** What happened. The error's own text follows. @param status the answer's HTTP status, if there was an answer */
  readonly sentence: (call: AwsCall, status?: number) => string;
  readonly next: string;
  readonly retry?: Retry;
}

type Kind = 'noCredentials' | 'accessDenied' | 'throttled' | 'notReady' | 'cannotStart' | 'notAccepted' | 'notConnected' | 'lost';

/** Translations of the AWS SDK's errors. The first matching row applies, else `lost`. */
const TABLE: Readonly<Record<Kind, Row>> = {
  noCredentials: {
    code: 'no_credentials',
    names: /^(CredentialsProviderError|TokenProviderError)$/,
    sentence: () => 'no usable AWS credentials',
    next: 'sign in (`aws sso login`), set AWS_PROFILE or --profile, or give the job a role',
  },
  accessDenied: {
    code: 'access_denied',
    names:
      /^(AccessDenied|ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|MissingAuthenticationToken|KmsAccessDenied)/,
    statuses: (status) => status === 401 || status === 403,
    sentence: ({ what }) => `AWS refused ${what}`,
    next: 'sign in again if the session has expired; otherwise grant the permission',
  },
  throttled: {
    code: 'throttled',
    names:
      /^(Throttling|ThrottledException|TooManyRequests|RequestLimitExceeded|ExecutionLimitExceeded|KmsThrottling|EC2Throttled)/,
    statuses: (status) => status === 429,
    sentence: ({ service, what }) => `${service} throttled ${what}`,
    next: 'try again in a minute',
    retry: 'later',
  },
  notReady: {
    code: 'function_not_ready',
    names: /^(Resource(Conflict|NotReady)|CodeArtifactUserPending|ENINotReady|SnapStartNotReady)/,
    sentence: ({ service, what }) => `${service} could not start ${what}`,
    next: "check the function's state in the Lambda console, then try again; nothing was started",
    retry: 'when ready',
  },
  /** The function's network, key, file system, code or runtime. */
  cannotStart: {
    code: 'function_not_ready',
    names: /^(EC2|ENI|EFS|KMS|S3Files|SnapStart|CodeArtifact|Subnet|InvalidSubnet|InvalidSecurity|InvalidRuntime|InvalidZip)/,
    sentence: ({ service, what }) => `${service} could not start ${what}`,
    next: "check the function's state in the Lambda console, then try again; nothing was started",
  },
  notAccepted: {
    code: 'unexpected_answer',
    statuses: (status) => status < 500,
    sentence: ({ service, what }) => `${service} rejected ${what}`,
    next: 'check the stage, the region and the endpoint',
  },
  notConnected: {
    code: 'network',
    words: /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|connect E|did not establish a connection|certificate/,
    sentence: ({ service, what }) => `${service} is not reachable for ${what}`,
    next: 'check the network, the region and the endpoint, then try again',
    retry: 'if repeatable',
  },
  lost: {
    code: 'network',
    sentence: ({ service, what }, status) =>
      status === undefined
        ? `the connection dropped before ${what} was answered`
        : `${service} failed before it had answered ${what}`,
    next: 'check the network, the region and the endpoint, then try again',
    retry: 'if repeatable',
  },
};

const MISSING = /^(ResourceNotFoundException|StateMachineDoesNotExist)$/;

interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Translates an error of the SDK into a failure. Returns a failure unchanged. */
export function sdkFailure(error: unknown, call: AwsCall): MigrateError {
  if (error instanceof MigrateError) return error;
  const { name, $metadata } = error as SdkError;
  if (call.missing && MISSING.test(name)) {
    const { code, message, next } = call.missing;
    return new MigrateError(code, message, next, { cause: error });
  }
  const kind = kindOf(error as SdkError);
  const { code, sentence, next } = TABLE[kind];
  const status = $metadata?.httpStatusCode;
  const text = status === undefined ? wordsOf(error as SdkError) : `${name}: ${wordsOf(error as SdkError)}`;
  const step = [call.next?.[kind] ?? next, call.meanwhile].filter(Boolean).join('; ');
  return new MigrateError(code, `${sentence(call, status)}: ${text}`, step, { cause: error });
}

/** When a retry may succeed after an error of the SDK or its failure; undefined: never. */
export function retryOf(error: unknown): Retry | undefined {
  const thrown = error instanceof MigrateError ? error.cause : error;
  return thrown instanceof Error && !(thrown instanceof MigrateError) ? TABLE[kindOf(thrown)].retry : undefined;
}

function kindOf(error: SdkError): Kind {
  const status = error.$metadata?.httpStatusCode;
  const fits = ({ names, statuses, words }: Row) =>
    names?.test(error.name) || (status === undefined ? words?.test(wordsOf(error)) : statuses?.(status));
  return (Object.keys(TABLE) as Kind[]).find((kind) => fits(TABLE[kind])) ?? 'lost';
}

/** Node's connection errors may have a code but no message. */
function wordsOf({ message, code, name }: SdkError): string {
  return message || code || name;
}
