import type { SFNClient } from '@aws-sdk/client-sfn';
import type { TenantsClient } from '../../../client/tenants/client';
import { invokeCommand } from '../../../contract';
import type { CiReport } from '../../answer/ci/report';
import type { Screen } from '../../screen/screen';
import type { Arguments } from './arguments';

/** One run of the command for many tenants. */
export interface Session {
  readonly arguments: Arguments;
  readonly client: TenantsClient;
  readonly sfn: SFNClient;
  readonly screen: Screen;
  readonly ci: CiReport;
  readonly signal: AbortSignal;
  /** The last run that was started or read. */
  runId?: string;
  /** Whether that run changes databases. */
  changing: boolean;
}

/** The command line for an existing run. */
export function runCommand({ arguments: { client } }: Pick<Session, 'arguments'>, verb: string, runId: string): string {
  return `${invokeCommand(client.appName, client.stage)} --${verb} ${runId}`;
}
