import { Stack, Validations } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';

/*
 * Findings of cdk-nag's AwsSolutions that stay, each with its reason: an app that checks itself need not look into this construct.
 */

/** Of the role of a function in a VPC. */
export function acknowledgeNetworkInterfaces(role: IConstruct): void {
  Validations.of(role).acknowledge({
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
  Validations.of(scope).acknowledge(
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
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason: 'the variables hold no secret: the database password is fetched from Secrets Manager, or made, when the task runs',
  });
}

/** Of the role by which Fargate starts that task. */
export function acknowledgeExecutionRole(role: IConstruct): void {
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'ecr:GetAuthorizationToken, which it takes to pull the image, knows no narrower resource',
  });
}

/** Of the state machine that runs that task. */
export function acknowledgeStateMachine(machine: IConstruct): void {
  Validations.of(machine).acknowledge(
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
  Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${asFound(Stack.of(role).resolve(arn))}]`, reason });
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
