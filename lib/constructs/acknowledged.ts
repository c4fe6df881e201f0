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
