import { join } from 'node:path';
import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface ApiProps {
  readonly stage: string;
  /** The database's revision when this is deployed. */
  readonly schemaRevision: string;
  readonly architecture?: lambda.Architecture;
  readonly runtime?: lambda.Runtime;
}

/** A placeholder for the application, which expects a migrated database. */
export class Api extends Construct {
  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    new lambda.Function(this, 'Function', {
      description: `The API of template-saas, stage ${props.stage}`,
      code: lambda.Code.fromAsset(join(__dirname, 'api-code')),
      handler: 'index.handler',
      runtime: props.runtime ?? lambda.Runtime.PYTHON_3_13,
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      environment: { STAGE: props.stage, SCHEMA_REVISION: props.schemaRevision },
      role,
      logGroup,
    });
  }
}
