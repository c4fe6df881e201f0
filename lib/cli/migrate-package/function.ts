import {
  type DatabaseSettings,
  type DatabaseVariables,
  HANDLER,
  LAMBDA_SECONDS,
  MEMORY_MB,
  NETWORK_ACTIONS,
  type RunnerSettings,
  SETTINGS_VARIABLE,
} from '../../contract';
import type { FunctionPlatform } from '../../packaging/platform';
import type { FunctionNeeds, Statement } from './document';

const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:shop-database-AbCdEf';

/** Example settings to adapt. The address is in a secret, or in the function's own variables if it fills none. */
function settings(variables: DatabaseVariables | undefined): RunnerSettings {
  const database: DatabaseSettings = variables
    ? { source: 'secret', secretArn: SECRET_ARN, variables }
    : { source: 'environment' };
  return { stage: 'prod', allow: [], database };
}

const PERMISSIONS: readonly Statement[] = [
  { for: 'logs', actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resource: "the function's log group" },
  { for: 'the secret', actions: ['secretsmanager:GetSecretValue'], resource: 'the secret in the settings' },
  { for: 'a secret with a key of your own', actions: ['kms:Decrypt'], resource: 'the key' },
  { for: 'a function in a VPC', actions: NETWORK_ACTIONS, resource: '*' },
];

/**
 * The configuration of a function that runs the package.
 *
 * @param variables that it fills with the database's address; undefined if it fills none
 */
export function functionOf({ architecture, pythonVersion }: FunctionPlatform, variables?: DatabaseVariables): FunctionNeeds {
  return {
    handler: HANDLER,
    runtime: `python${pythonVersion}`,
    architectures: [architecture],
    memorySize: MEMORY_MB,
    timeout: LAMBDA_SECONDS,
    maximumRetryAttempts: 0,
    environment: { [SETTINGS_VARIABLE]: JSON.stringify(settings(variables)) },
    permissions: PERMISSIONS,
  };
}
