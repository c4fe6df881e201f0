import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { MigrateClient } from '../../client/client';
import type { AppliedRevision } from '../../contract';
import type { CiReport } from '../answer/ci/report';
import type { Screen } from '../screen/screen';
import type { Arguments } from './arguments';

/** One run of the command. */
export interface Session {
  readonly arguments: Arguments;
  readonly client: MigrateClient;
  readonly lambda: LambdaClient;
  readonly screen: Screen;
  readonly ci: CiReport;
  readonly signal: AbortSignal;
  /** What has been applied so far. */
  readonly applied: AppliedRevision[];
  /** Whether the function was asked to change something. */
  changing: boolean;
  /** ARN of the last container execution. */
  execution?: string;
}
