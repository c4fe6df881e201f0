import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import { nameProblems } from '../../contract';

/** All errors in the name parts that are known at synth. */
export function namePartProblems(
  appName: string,
  stage: string,
  longestName: (appName: string, stage: string) => string,
): string[] {
  const tokens = Object.entries({ stage, appName }).filter(([, value]) => Token.isUnresolved(value));
  if (!tokens.length) return nameProblems(appName, stage, longestName(appName, stage));
  return tokens.map(
    ([prop]) =>
      `the prop ${prop} is a token, but resource names contain it and must be known at synth: give it as text, for example from ` +
      `app.node.tryGetContext('${prop}') or process.env`,
  );
}

/**
 * Finds another function with this name in the stack or its nested stacks. CloudFormation would notice only during the deploy.
 */
export function duplicateProblems(scope: Construct, functionName: string | undefined): string[] {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  const twin =
    functionName && stack.node.findAll().find((construct) => isFunction(construct) && construct.functionName === functionName);
  if (!twin) return [];
  // The migration construct is the parent of the function's construct.
  const { path } = twin.node.scopes.at(-3)?.node ?? twin.node;
  return [`${path} already has a function named ${functionName}: give one of the two another appName or stage`];
}

/** Compares the type's name, which works with two copies of the CDK. */
function isFunction(construct: IConstruct): construct is CfnFunction {
  return CfnResource.isCfnResource(construct) && construct.cfnResourceType === 'AWS::Lambda::Function';
}
