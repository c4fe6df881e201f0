import { type Acknowledgment, Stack, Validations } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { IConstruct } from 'constructs';

/*
 * Findings of cdk-nag's AwsSolutions that stay, each with its reason: an app that checks itself need not look into this construct.
 */

/** Older versions of the CDK have no `Validations`, and nothing that would read this. */
function acknowledge(scope: IConstruct, ...findings: Acknowledgment[]): void {
  Validations?.of(scope).acknowledge(...findings);
}

/** Of the role of a function in a VPC. */
export function acknowledgeNetworkInterfaces(role: IConstruct): void {
  acknowledge(role, {
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Lambda attaches the function to the VPC with these actions, and AWS knows no narrower resource for them; ' +
      "the function's own code is denied them by the policy's next statement",
  });
}

/** Of the CDK's Provider framework, which is below the scope. */
export function acknowledgeFramework(scope: IConstruct): void {
  const functions = scope.node
    .findAll()
    .filter((construct) => construct instanceof CfnFunction)
    // This one is called by CloudFormation, and by nobody else.
    .filter(({ handler }) => handler !== 'framework.onEvent');
  acknowledge(
    scope,
    ...functions.map((fn) => ({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(fn).getLogicalId(fn)}.Arn>:*]`,
      reason:
        "the wildcard stands for the versions of this one function; it is how the CDK's Provider framework grants an invoke",
    })),
    {
      id: 'AwsSolutions-SF1',
      reason:
        'the state machine only waits: what it waits for is logged by the handlers. Its events hold the presigned URL by which ' +
        "anybody could answer CloudFormation, and delivering them takes permissions on all of the account's log groups",
    },
    {
      id: 'AwsSolutions-SF2',
      reason: 'the state machine only waits; tracing takes permissions on "*" and would show calls that are logged already',
    },
  );
}

/** Of the task that runs long migrations. */
export function acknowledgeTaskDefinition(task: IConstruct): void {
  acknowledge(task, {
    id: 'AwsSolutions-ECS2',
    reason: 'the variables hold no secret: the database password is fetched from Secrets Manager, or made, when the task runs',
  });
}

/** Of the role by which Fargate starts that task. */
export function acknowledgeExecutionRole(role: IConstruct): void {
  acknowledge(role, {
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'ecr:GetAuthorizationToken, which it takes to pull the image, knows no narrower resource',
  });
}

/** Of the state machine that runs that task. */
export function acknowledgeStateMachine(machine: IConstruct): void {
  acknowledge(
    machine,
    {
      id: 'AwsSolutions-SF1',
      reason:
        'the state machine starts one task and waits for it: Step Functions keeps its events for 90 days, and delivering them to ' +
        "CloudWatch takes permissions on all of the account's log groups",
    },
    {
      id: 'AwsSolutions-SF2',
      reason: 'the state machine starts one task and waits for it; tracing takes permissions on "*" and would show that alone',
    },
  );
}

/** Of a role that may do something with what has no name before it is there. */
export function acknowledgeWildcard(role: IConstruct, arn: string, reason: string): void {
  acknowledge(role, { id: `AwsSolutions-IAM5[Resource::${asFound(Stack.of(role).resolve(arn))}]`, reason });
}

/** An ARN as cdk-nag writes it. */
function asFound(value: string | RenderedArn): string {
  if (typeof value === 'string') return value;
  if (value.Ref) return `<${value.Ref}>`;
  if (value['Fn::GetAtt']) return `<${value['Fn::GetAtt'].join('.')}>`;
  const [, parts] = value['Fn::Join'] ?? ['', []];
  return parts.map(asFound).join('');
}

interface RenderedArn {
  readonly Ref?: string;
  readonly 'Fn::GetAtt'?: readonly string[];
  readonly 'Fn::Join'?: readonly [string, readonly (string | RenderedArn)[]];
}

/** Of the state machine that runs over the tenants, and the roles of its functions. */
export function acknowledgeTenantMachine(
  scope: IConstruct,
  bucket: s3.Bucket,
  stateMachine: sfn.StateMachine,
  machineName: string,
): void {
  const files = `<${Stack.of(scope).getLogicalId(bucket.node.defaultChild as s3.CfnBucket)}.Arn>/runs/*`;
  const executions = `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${machineName}`;
  acknowledge(
    scope,
    {
      id: `AwsSolutions-IAM5[Resource::${files}]`,
      reason: "the wildcard stands for the files of the runs, in a bucket of the stack's own",
    },
    ...[':*', '/*'].map((end) => ({
      id: `AwsSolutions-IAM5[Resource::${executions}${end}]`,
      reason: 'the wildcard stands for the executions of this one state machine, whose names are made when they start',
    })),
  );
  acknowledge(
    stateMachine,
    {
      id: 'AwsSolutions-SF1',
      reason:
        'Step Functions keeps the history of each execution for 90 days, and the bucket what became of each tenant; to deliver its ' +
        "events elsewhere takes permissions on all of the account's log groups",
    },
    {
      id: 'AwsSolutions-SF2',
      reason: 'tracing takes permissions on "*", and shows calls that the history of the execution shows already',
    },
  );
}

/** Of the bucket with what became of each tenant. */
export function acknowledgeRunsBucket(bucket: s3.Bucket): void {
  acknowledge(bucket, {
    id: 'AwsSolutions-S1',
    reason:
      'four roles of this stack read and write it, and their logs say what they do; an access log would need another bucket',
  });
}
