import type { CdkCustomResourceEvent } from 'aws-lambda';
import type { OnDeployProperties } from '../../lib/contract';

export const FUNCTION = 'template-saas-api-migrate-lambda-dev';
export const STACK = 'arn:aws:cloudformation:eu-central-1:111122223333:stack/app-dev/5ac8a3a0-0000-0000-0000-000000000000';

/** What CloudFormation sends. @param properties more of the resource's properties @param fields others than the usual ones */
export function customResourceEvent(
  RequestType: 'Create' | 'Update' | 'Delete',
  properties: Partial<OnDeployProperties> = {},
  fields: object = {},
): CdkCustomResourceEvent<OnDeployProperties> {
  const ResourceProperties = { ServiceToken: 'token', FunctionName: FUNCTION, Stage: 'dev', Fingerprint: 'f1', ...properties };
  return {
    RequestType,
    ServiceToken: 'token',
    ResponseURL: 'https://cloudformation.example/answer?Signature=secret',
    StackId: STACK,
    RequestId: 'r1',
    LogicalResourceId: 'Migrations',
    ResourceType: 'Custom::AlembicMigration',
    ResourceProperties,
    ...(RequestType !== 'Create' && { PhysicalResourceId: 'issued-before' }),
    ...(RequestType === 'Update' && { OldResourceProperties: ResourceProperties }),
    ...fields,
  } as CdkCustomResourceEvent<OnDeployProperties>;
}
