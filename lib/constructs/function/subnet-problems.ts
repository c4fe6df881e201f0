import { Aspects, CfnResource, Stack } from 'aws-cdk-lib';
import type { CfnVPCEndpoint, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct, IConstruct } from 'constructs';
import { call, option } from '../../packaging/code-in-messages';
import { addWarning } from './annotations';
import type { MigrationProps } from './migration-props';

/** Props of a VPC that have no effect without one. */
export function networkProblems({ vpc, ...others }: Pick<MigrationProps, 'vpc' | 'vpcSubnets' | 'securityGroups'>): string[] {
  if (vpc) return [];
  const given = Object.entries(others).filter(([, value]) => value !== undefined);
  return given.map(([name]) => `${option(name)} has no effect without ${option('vpc')}: pass the VPC, or leave it out`);
}

/** Finds public subnets among the function's: Lambda assigns no public address there. Without a subnet it would be in no VPC. */
export function subnetProblems(vpc: IVpc | undefined, selection: SubnetSelection | undefined): string[] {
  if (!vpc) return [];
  const { hasPublic, isPendingLookup, subnetIds } = vpc.selectSubnets(selection);
  if (isPendingLookup) return [];
  if (!subnetIds.length) return [`${option('vpcSubnets')} selects no subnet of ${vpc.node.path}: select at least one`];
  if (!hasPublic) return [];
  return [
    `the function would run in a public subnet of ${vpc.node.path}, where it reaches no service outside the VPC: choose private ` +
      `subnets with ${option('vpcSubnets')}, or isolated ones with an interface endpoint for Secrets Manager`,
  ];
}

/** A service that the function calls. */
interface Service {
  /** Last part of its endpoint's name. */
  readonly name: string;
  /** Id of the warning. */
  readonly id: string;
  readonly purpose: string;
  /** The id of a new endpoint, and the CDK's name of the service. */
  readonly endpoint: readonly [string, string];
}

export const SECRETS_MANAGER: Service = {
  name: 'secretsmanager',
  id: 'cdk-alembic:secrets-manager-endpoint',
  purpose: "to read the database's password",
  endpoint: ['SecretsManager', 'SECRETS_MANAGER'],
};

export const RDS: Service = {
  name: 'rds',
  id: 'cdk-alembic:rds-endpoint',
  purpose: 'to make snapshots',
  endpoint: ['Rds', 'RDS'],
};

/** Warns at synth if the function can't reach a service: in isolated subnets, when this app creates no endpoint. */
export function warnOfMissingEndpoint(
  scope: Construct,
  service: Service,
  vpc: IVpc | undefined,
  selection: SubnetSelection | undefined,
): void {
  if (!vpc?.node.findAll().some((construct) => isResource(construct, 'AWS::EC2::VPC'))) return;
  const isolated = new Set(vpc.isolatedSubnets.map(({ subnetId }) => subnetId));
  if (!vpc.selectSubnets(selection).subnetIds.every((id) => isolated.has(id))) return;
  Aspects.of(scope).add({
    // The endpoint may be created after the migration.
    visit(construct) {
      if (construct !== scope || hasEndpoint(scope, service, vpc)) return;
      const [id, name] = service.endpoint;
      addWarning(
        scope,
        service.id,
        `the function runs in isolated subnets of ${vpc.node.path} and needs an interface endpoint ${service.purpose}, which this ` +
          `app does not create: ${call('vpc.addInterfaceEndpoint', [id], { service: { expression: `ec2.InterfaceVpcEndpointAwsService.${name}` } })}`,
      );
    },
  });
}

function hasEndpoint(scope: Construct, { name }: Service, vpc: IVpc): boolean {
  const rendered = (value: unknown): string => JSON.stringify(Stack.of(scope).resolve(value));
  return scope.node.root.node
    .findAll()
    .filter((construct): construct is CfnVPCEndpoint => isResource(construct, 'AWS::EC2::VPCEndpoint'))
    .some(({ vpcId, serviceName }) => rendered(vpcId) === rendered(vpc.vpcId) && rendered(serviceName).includes(`.${name}"`));
}

function isResource(construct: IConstruct, type: string): boolean {
  return CfnResource.isCfnResource(construct) && construct.cfnResourceType === type;
}
