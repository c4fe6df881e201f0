import type { SFNClient } from '@aws-sdk/client-sfn';
import { MigrateError } from '../../contract/failure';
import { DEFAULT_APP_NAME } from '../../contract/names';
import { tenantStateMachineName } from '../../contract/tenants';
import { regionOf } from '../lambda-client';
import { sdkFailure } from '../sdk-failure';
import { whatToCheck } from '../target';
import { machineCall, sfnSdk } from './sdk';

/** The state machine that a client uses. */
export interface Machine {
  readonly arn: string;
  readonly name: string;
  readonly region: string;
}

/** Finds the state machine of a stage by name: its ARN has an account and a partition that only AWS knows. */
export async function findMachine(client: SFNClient, appName: string, stage: string, signal?: AbortSignal): Promise<Machine> {
  const { paginateListStateMachines } = sfnSdk();
  const name = tenantStateMachineName(appName, stage);
  const region = await regionOf(client);
  const prefix = tenantStateMachineName(appName, '');
  const stages: string[] = [];
  try {
    for await (const page of paginateListStateMachines({ client, pageSize: 1000 }, {}, { abortSignal: signal })) {
      for (const machine of page.stateMachines ?? []) {
        if (machine.name === name) return { arn: machine.stateMachineArn as string, name, region };
        if (machine.name?.startsWith(prefix)) stages.push(machine.name.slice(prefix.length));
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw sdkFailure(error, machineCall('states:ListStateMachines'));
  }
  const others = stages.length > 0 ? `; other stages: ${stages.map((other) => `"${other}"`).join(', ')}` : '';
  throw new MigrateError(
    'state_machine_not_found',
    `there is no state machine ${name} for stage "${stage}" in ${region} in this account${others}`,
    `${whatToCheck(appName === DEFAULT_APP_NAME)}; deploy a new stage with TenantMigration first`,
  );
}

/** @param arn of the state machine, from the caller */
export function givenMachine(arn: string): Machine {
  const [, , , region = '', , , name = ''] = arn.split(':');
  return { arn, name, region };
}

/** ARN of a run: the execution's name is its id. */
export function runArn({ arn }: Machine, runId: string): string {
  return `${arn.replace(':stateMachine:', ':execution:')}:${runId}`;
}
