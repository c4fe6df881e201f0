import { CfnResource, Stack } from 'aws-cdk-lib';
import type { CfnSecurityGroupEgress, CfnSecurityGroupIngress, IConnectable } from 'aws-cdk-lib/aws-ec2';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Dependable, type IConstruct, type IDependable } from 'constructs';
import { checkArgument, constructs } from './prop-types';

/**
 * All resources below the scopes, as a dependency. Includes only security group rules of the function and its container: the
 * rule that admits the application to the database refers to the application, which waits for the migration: a cycle.
 */
export class ReadyForMigration implements IDependable {
  constructor(fn: lambda.Function, scopes: readonly IConstruct[], container?: IConnectable) {
    checkArgument('executeAfter', 'scopes', scopes, constructs);
    Dependable.implement(this, {
      // Read at synth, when all rules exist.
      get dependencyRoots(): IConstruct[] {
        const clients = [...(fn.isBoundToVpc ? [fn] : []), ...(container ? [container] : [])];
        const groups = clients
          .flatMap(({ connections }) => connections.securityGroups)
          .map((group) => resolved(fn, group.securityGroupId));
        const isForClient = (...ids: unknown[]) => ids.some((id) => id !== undefined && groups.includes(resolved(fn, id)));
        return scopes
          .flatMap((scope) => Dependable.of(scope).dependencyRoots)
          .flatMap((root) => root.node.findAll())
          .filter((construct) => {
            if (isRule<CfnSecurityGroupIngress>(construct, 'AWS::EC2::SecurityGroupIngress')) {
              return isForClient(construct.groupId, construct.sourceSecurityGroupId);
            }
            if (isRule<CfnSecurityGroupEgress>(construct, 'AWS::EC2::SecurityGroupEgress')) {
              return isForClient(construct.groupId, construct.destinationSecurityGroupId);
            }
            return CfnResource.isCfnResource(construct);
          });
      },
    });
  }
}

/** Compares the type's name: loading the CDK's EC2 for `instanceof` takes 40 ms, even without any security group. */
function isRule<Rule extends CfnResource>(construct: IConstruct, type: string): construct is Rule {
  return CfnResource.isCfnResource(construct) && construct.cfnResourceType === type && 'groupId' in construct;
}

function resolved(scope: IConstruct, value: unknown): string {
  return JSON.stringify(Stack.of(scope).resolve(value));
}
