import { CfnResource, Stack, Stage, Token, TokenComparison } from 'aws-cdk-lib';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import { nameProblems, type DatabaseVariables as VariableNames } from '../../contract';
import { call, option } from '../../packaging/code-in-messages';

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
      `the prop ${option(prop)} is a token, but resource names contain it and must be known at synth: pass a string, for example from ` +
      `${call('app.node.tryGetContext', [prop])} or an environment variable`,
  );
}

/** Errors in names of environment variables. @param prop that has them. Lambda would reject them only during the deploy: https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html */
export function variableNameProblems(prop: string, variables: object): string[] {
  return Object.keys(variables)
    .filter((name) => !/^[A-Za-z]\w+$/.test(name))
    .map(
      (name) =>
        `${JSON.stringify(name)} in ${option(prop)} is no name that Lambda accepts: use two or more letters, digits and underscores, ` +
        'with a letter first',
    );
}

/** Errors for variables that are filled with a secret and set to something else, too. */
export function setTwice(environment: object, secrets: object, { urlScheme: _, ...database }: VariableNames): string[] {
  return Object.keys(secrets).flatMap((name) => {
    const other = name in environment ? 'environment' : Object.values(database).includes(name) ? 'database' : undefined;
    return other ? [`${name} is in ${option('secrets')} and in ${option(other)}: keep one of them`] : [];
  });
}

/** Warnings for environment variables that the function fills with the database's address. */
export function replacedVariables(
  environment: { readonly [name: string]: string },
  { urlScheme: _, ...names }: VariableNames,
): string[] {
  return Object.keys(environment)
    .filter((name) => Object.values(names).includes(name))
    .map(
      (name) =>
        `${name} in ${option('environment')} has no effect, because the function fills it with the address of ${option('database')}: ` +
        `leave it out, or pass ${call('MigrationDatabase.fromEnvironment')} if the environment has the address`,
    );
}

/** Finds another function with this name in the app that is deployed to the same place. CloudFormation would find it only during the deploy. */
export function duplicateProblems(scope: Construct, functionName: string | undefined): string[] {
  const stack = outermost(scope);
  const duplicate =
    functionName &&
    scope.node.root.node
      .findAll()
      .find((other) => isFunction(other) && other.functionName === functionName && isDeployedWith(stack, outermost(other)));
  if (!duplicate) return [];
  // The migration construct is the parent of the function's construct.
  const { path } = duplicate.node.scopes.at(-3)?.node ?? duplicate.node;
  return [
    `${path} already has a function named ${functionName}: use a different ${option('appName')} or ${option('stage')} for one of the two`,
  ];
}

function outermost(construct: IConstruct): Stack {
  let stack = Stack.of(construct);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  return stack;
}

/** Whether two stacks are in one account and region. Those without an environment are, unless they are in different stages. */
function isDeployedWith(stack: Stack, other: Stack): boolean {
  if (stack === other) return true;
  const isSame = (mine: string, theirs: string) => {
    const comparison = Token.compareStrings(mine, theirs);
    if (comparison === TokenComparison.BOTH_UNRESOLVED) return Stage.of(stack) === Stage.of(other);
    return comparison === TokenComparison.SAME;
  };
  return isSame(stack.account, other.account) && isSame(stack.region, other.region);
}

/** Compares the type's name, which works with two copies of the CDK. */
function isFunction(construct: IConstruct): construct is CfnFunction {
  return CfnResource.isCfnResource(construct) && construct.cfnResourceType === 'AWS::Lambda::Function';
}
