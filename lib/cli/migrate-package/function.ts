import { HANDLER, LAMBDA_SECONDS, MEMORY_MB, NETWORK_ACTIONS, type RunnerSettings, SETTINGS_VARIABLE } from '../../contract';
import type { FunctionPlatform } from '../../packaging/platform';
import type { FunctionNeeds, Statement } from './document';

/** Settings for a database whose address is in a secret, to be adapted. */
const SETTINGS: RunnerSettings = {
  stage: 'prod',
  allow: [],
  database: {
    source: 'secret',
    secretArn: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:shop-database-AbCdEf',
    variables: { url: 'DATABASE_URL' },
  },
};

const PERMISSIONS: readonly Statement[] = [
  { for: 'logs', actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resource: "the function's log group" },
  { for: 'the secret', actions: ['secretsmanager:GetSecretValue'], resource: 'the secret in the settings' },
  { for: 'a secret with a key of your own', actions: ['kms:Decrypt'], resource: 'the key' },
  { for: 'a function in a VPC', actions: NETWORK_ACTIONS, resource: '*' },
];

/** What a function needs to run the package. */
export function functionOf({ architecture, pythonVersion }: FunctionPlatform): FunctionNeeds {
  return {
    handler: HANDLER,
    runtime: `python${pythonVersion}`,
    architectures: [architecture],
    memorySize: MEMORY_MB,
    timeout: LAMBDA_SECONDS,
    maximumRetryAttempts: 0,
    environment: { [SETTINGS_VARIABLE]: JSON.stringify(SETTINGS) },
    permissions: PERMISSIONS,
  };
}
