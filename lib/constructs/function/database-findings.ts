import { CfnResource, type IResource, Stack, Token } from 'aws-cdk-lib';
import type { IConnectable, ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { option } from '../../packaging/code-in-messages';

export interface Findings {
  /** Errors stop the deploy. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const NOTHING: Findings = { errors: [], warnings: [] };

/** Finds a database that a function outside of any VPC can't reach. */
export function withoutVpc(database: IResource | undefined, vpc: IVpc | undefined): Findings {
  if (!database || vpc) return NOTHING;
  const resources = database.node.findAll().filter((construct) => CfnResource.isCfnResource(construct)) as CfnResource[];
  if (resources.some(isPublic)) return NOTHING;
  const text =
    `the database ${database.node.path} is in a VPC and the function is not: pass ${option('vpc')}, the one from which the database ` +
    'is reachable';
  // An imported one has no resources. A proxy is never public.
  return resources.length ? { errors: [text], warnings: [] } : { errors: [], warnings: [`${text}, unless it is public`] };
}

/** Finds an imported database whose security groups are unknown: no rule admits the function's own group. */
export function notAdmitted(
  database: (IResource & Partial<IConnectable>) | undefined,
  { vpc, securityGroups }: { readonly vpc?: IVpc | undefined; readonly securityGroups?: readonly ISecurityGroup[] | undefined },
): Findings {
  if (!database || !vpc || securityGroups || database.connections?.securityGroups.length) return NOTHING;
  const { path } = database.node;
  const admitted = `pass a group that it admits in the ${option('securityGroups')} of the migration`;
  const text = database.connections
    ? `the database ${path} is imported without its security groups, so no rule lets the function in: pass ${option('securityGroups')} where you import it, or ${admitted}`
    : `the CDK does not know the security groups of the imported proxy ${path}, so no rule lets the function in: ${admitted}`;
  return { errors: [], warnings: [text] };
}

function isPublic(resource: CfnResource & { readonly publiclyAccessible?: unknown }): boolean {
  const { publiclyAccessible } = resource;
  return publiclyAccessible === true || Token.isUnresolved(publiclyAccessible);
}

/** Finds a secret that the function may be unable to read, because it is in another account or region. */
export function secretElsewhere(scope: Construct, secret: ISecret | undefined): Findings {
  if (!secret) return NOTHING;
  const { account, region } = Stack.of(scope);
  const { path } = secret.node;
  const isOther = (theirs: string, ours: string) => !Token.isUnresolved(theirs) && !Token.isUnresolved(ours) && theirs !== ours;
  if (isOther(secret.env.region, region)) {
    return {
      errors: [
        `the secret ${path} is in the region ${secret.env.region} and the migration in ${region}: replicate it to ${region} and ` +
          'give the replica',
      ],
      warnings: [],
    };
  }
  if (!isOther(secret.env.account, account)) return NOTHING;
  return {
    errors: [],
    warnings: [
      `the secret ${path} is in the account ${secret.env.account} and the migration in ${account}: the function can read it only if ` +
        "its resource policy and the policy of its own KMS key admit the function's role, and if its ARN is complete; " +
        `or keep a copy in ${account}`,
    ],
  };
}
