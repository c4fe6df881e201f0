import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import { nameProblems } from '../../contract';

/** All that is wrong with the parts of the names, as far as the CDK app knows it. */
export function namePartProblems(
  appName: string,
  stage: string,
  longestName: (appName: string, stage: string) => string,
): string[] {
  const tokens = Object.entries({ stage, appName }).filter(([, value]) => Token.isUnresolved(value));
  if (!tokens.length) return nameProblems(appName, stage, longestName(appName, stage));
  return tokens.map(
    ([prop]) =>
      `the prop ${prop} is a token, whose value only the deploy knows, and it is part of names: give it as text, for example from ` +
      `app.node.tryGetContext('${prop}') or process.env`,
  );
}

/** Another function of this name in the stack, its nested stacks included: CloudFormation would notice only during the deploy. */
export function duplicateProblems(scope: Construct, functionName: string | undefined): string[] {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  const twin =
    functionName && stack.node.findAll().find((construct) => isFunction(construct) && construct.functionName === functionName);
  if (!twin) return [];
  // The migration, above the function's construct and its resource.
  const { path } = twin.node.scopes.at(-3)?.node ?? twin.node;
  return [`${path} already has a function named ${functionName}: give one of the two another appName or stage`];
}

/** By its type's name, which holds across two copies of the CDK. */
function isFunction(construct: IConstruct): construct is CfnFunction {
  return CfnResource.isCfnResource(construct) && construct.cfnResourceType === 'AWS::Lambda::Function';
}
