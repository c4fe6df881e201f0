import { createHash } from 'node:crypto';
import { ArnFormat, type IResource, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { SNAPSHOT_TAG, type SnapshotSettings } from '../../contract';
import { named, option } from '../../packaging/code-in-messages';
import { acknowledgeWildcard } from '../aws/acknowledged';
import { engineProblem } from '../database/rds-problem';
import { environmentProblems } from '../function/environment-problems';
import type { MigrationSnapshot } from './migration-snapshot';

const DEFAULT_KEEP = 5;

/** The settings of a stage's snapshots, or why it can't make any. */
export type SnapshotSource =
  | { readonly settings: SnapshotSettings; readonly problems: readonly [] }
  | { readonly settings?: undefined; readonly problems: readonly string[] };

/** Finds the cluster or instance that the snapshots are of. @param database of the migration, if the app knows it */
export function snapshotSource(
  scope: Construct,
  { _before: before, _options: options }: MigrationSnapshot,
  database: IResource | undefined,
  functionName: string,
): SnapshotSource {
  const { keep = DEFAULT_KEEP, cluster, instance } = options;
  const source = cluster ?? instance ?? database;
  const identifiers = identifiersOf(source);
  const problems: string[] = [];
  if (cluster && instance) problems.push('snapshot has a cluster and an instance: pass the one that the database is on');
  if (!identifiers) {
    problems.push(
      'snapshot has no cluster and no instance, and the database names none: pass the one that it is on, ' +
        `with ${option('cluster')} or ${option('instance')} of ${named('MigrationSnapshot.beforeDataLoss')}`,
    );
  } else if (source && source !== database) {
    const engine = engineProblem(source as rds.IDatabaseCluster | rds.IDatabaseInstance);
    problems.push(...(engine ? [engine] : []), ...environmentProblems(scope, { 'database of snapshot': source }));
  }
  if (!identifiers || problems.length > 0) return { problems };
  return { settings: { before, ...identifiers, prefix: prefixOf(functionName), keep }, problems: [] };
}

function identifiersOf(source: IResource | undefined): Pick<SnapshotSettings, 'cluster' | 'instance'> | undefined {
  const { clusterIdentifier, instanceIdentifier } = (source ?? {}) as Partial<rds.IDatabaseCluster & rds.IDatabaseInstance>;
  if (clusterIdentifier !== undefined) return { cluster: clusterIdentifier };
  return instanceIdentifier === undefined ? undefined : { instance: instanceIdentifier };
}

/** RDS allows letters, digits and single hyphens, and begins with a letter. A function's name may have more: a hash keeps two apart. */
function prefixOf(functionName: string): string {
  const allowed = functionName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^(?=[0-9])/, 'x')
    .replace(/-+$/, '');
  if (allowed === functionName) return allowed;
  return `${allowed}-${createHash('sha256').update(functionName).digest('hex').slice(0, 8)}`;
}

/** Lets the function make snapshots of this one cluster or instance, and delete those that it made. */
export function allowSnapshots(fn: lambda.Function, { cluster, instance, prefix }: SnapshotSettings): void {
  const [noun, kind, call] =
    cluster === undefined ? ['db', 'snapshot', 'DBSnapshot'] : ['cluster', 'cluster-snapshot', 'DBClusterSnapshot'];
  const arn = (resource: string, resourceName: string) =>
    Stack.of(fn).formatArn({ service: 'rds', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  const source = arn(noun, (cluster ?? instance) as string);
  const [own, all] = [arn(kind, `${prefix}-*`), arn(kind, '*')];
  const statements: iam.PolicyStatementProps[] = [
    { actions: [`rds:Create${call}`], resources: [source, own] },
    { actions: [`rds:Describe${call}s`], resources: [source, all] },
    { actions: ['rds:AddTagsToResource'], resources: [own] },
    {
      actions: [`rds:Delete${call}`],
      resources: [own],
      conditions: { StringEquals: { [`aws:ResourceTag/${SNAPSHOT_TAG}`]: prefix } },
    },
  ];
  for (const statement of statements) fn.addToRolePolicy(new iam.PolicyStatement(statement));
  const role = fn.role as iam.IRole;
  acknowledgeWildcard(
    role,
    own,
    "the wildcard stands for the snapshots of this stage's runs, which get their names when they start",
  );
  acknowledgeWildcard(role, all, 'RDS lists the snapshots of one database; AWS checks the permission for all of them');
}
