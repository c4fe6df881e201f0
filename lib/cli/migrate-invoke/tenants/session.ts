import type { SFNClient } from '@aws-sdk/client-sfn';
import type { TenantsClient } from '../../../client/tenants/client';
import type { CiReport } from '../../answer/ci/ci-report';
import type { Screen } from '../../screen/screen';
import type { TenantsArguments } from './arguments';

/** One run of the command about many tenants. */
export interface TenantsSession {
  readonly arguments: TenantsArguments;
  readonly client: TenantsClient;
  readonly sfn: SFNClient;
  readonly screen: Screen;
  readonly ci: CiReport;
  readonly signal: AbortSignal;
  /** The run that was started or looked at last. */
  runId?: string;
  /** Whether that one changes databases. */
  changing: boolean;
}

/** A command line about a run that is there. */
export function runCommand({ arguments: { client } }: Pick<TenantsSession, 'arguments'>, verb: string, runId: string): string {
  const { stage, appName } = client;
  const app = appName === undefined ? '' : ` --app-name ${appName}`;
  return `npx migrate-invoke --stage ${stage}${app} --${verb} ${runId}`;
}
