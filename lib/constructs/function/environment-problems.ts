import { BootstraplessSynthesizer, CfnResource, type IResource, Stack, Stage, Token, TokenComparison } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { named } from '../../packaging/code-in-messages';

/** Throws an error for a stack that can't have files: the CDK's own would not say how to get one that can. */
export function requireFiles(scope: Construct): void {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  if (!(stack.synthesizer instanceof BootstraplessSynthesizer)) return;
  throw new Error(
    `the stack ${stack.node.path} has a BootstraplessSynthesizer, so it can't upload the code of ${scope.node.path}: run ` +
      '"cdk bootstrap", and use a DefaultStackSynthesizer, or a CliCredentialsStackSynthesizer for your own credentials in place of roles',
  );
}

/**
 * Finds resources in another account, region or Stage than the migration's. The CDK's own error would name neither.
 *
 * @param resources each with its name in the message, such as `database`
 */
export function environmentProblems(scope: Construct, resources: { readonly [name: string]: IResource | undefined }): string[] {
  const stack = Stack.of(scope);
  return Object.entries(resources).flatMap(([name, resource]) => {
    if (!resource) return [];
    const [theirs, ours] = [resource, scope].map((construct) => Stage.of(construct));
    // An imported resource is of no Stage.
    if (theirs !== ours && CfnResource.isCfnResource(resource.node.defaultChild)) {
      return [
        `the ${name} ${resource.node.path} is in ${nameOf(theirs)} and the migration in ${nameOf(ours)}: a Stage can't refer to a resource ` +
          'of another one. Create both in one Stage, or import it in the one of the migration, for example with ' +
          `${named('fromDatabaseClusterAttributes')} or ${named('Vpc.fromLookup')}`,
      ];
    }
    const { account, region } = resource.env;
    return [
      ...compared(name, resource, 'account', account, stack.account),
      ...compared(name, resource, 'region', region, stack.region),
    ];

    function compared(what: string, { node }: IResource, part: string, theirs: string, ours: string): string[] {
      const comparison = Token.compareStrings(theirs, ours);
      if (comparison === TokenComparison.DIFFERENT) {
        return [
          `the ${what} ${node.path} is in the ${part} ${theirs} and the migration in ${ours}: put the migration into a stack of the ` +
            `${what}'s account and region`,
        ];
      }
      // An imported resource has the environment of the stack that imports it.
      if (comparison === TokenComparison.ONE_UNRESOLVED && Stack.of(node.scope as Construct) !== stack) {
        return [
          `the ${part} of the ${what} ${node.path} or of the migration is known only at deploy time, but the other's is fixed: give ` +
            'both stacks the same "env"',
        ];
      }
      return [];
    }
  });
}

/** An app is a Stage, too, without a name. */
function nameOf(stage: Stage | undefined): string {
  return stage?.node.path ? `the Stage ${stage.node.path}` : 'the app itself';
}
