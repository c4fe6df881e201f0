import { Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { named, option } from '../../packaging/code-in-messages';

type Database = rds.IDatabaseCluster | rds.IDatabaseInstance;

/** Why no migration can run on a database that the app defines; undefined if one can. */
export function engineProblem(database: Database): string | undefined {
  const { path, defaultChild } = database.node;
  const type = database.engine?.engineType;
  if (type && !type.includes('postgres')) {
    return `the database ${path} has the engine ${type}, and migrations run on PostgreSQL: create it with ${named('rds.DatabaseInstanceEngine.postgres')} or ${named('rds.DatabaseClusterEngine.auroraPostgres')}`;
  }
  const { sourceDbInstanceIdentifier: primary } = (defaultChild ?? {}) as Partial<rds.CfnDBInstance>;
  return primary ? `the database ${path} is a read replica, and migrations write: pass its primary` : undefined;
}

/**
 * Says that the database's own secret has no database name: AWS writes that of the database into it, if it has one.
 *
 * @returns an error if the secret can't have one, and a warning if someone may have added it
 */
export function databaseNameProblem({ node }: Database): { readonly error?: string; readonly warning?: string } {
  type Resource = rds.CfnDBCluster & rds.CfnDBInstance;
  const { databaseName, dbName, manageMasterUserPassword, snapshotIdentifier, dbSnapshotIdentifier } = (node.defaultChild ??
    {}) as Partial<Resource>;
  if (manageMasterUserPassword) {
    return {
      error: `the secret of the database ${node.path}, which RDS manages, has no database name: pass ${option('databaseName')}`,
    };
  }
  if (!node.defaultChild || databaseName || dbName || snapshotIdentifier || dbSnapshotIdentifier) return {};
  return {
    warning:
      `the database ${node.path} is created without a database, so its secret names none: pass ${option('databaseName', 'postgres')} or the ` +
      `like, or set the database's own name when you create it (${option('defaultDatabaseName')} of a cluster, ${option('databaseName')} of an instance)`,
  };
}

/** Says that the secret alone does not open the database that it belongs to. */
export function closedProblem(secret: ISecret): string | undefined {
  for (const { node } of secret.node.scopes.reverse()) {
    const resource = node.defaultChild;
    const isCluster = resource instanceof rds.CfnDBCluster;
    if (!isCluster && !(resource instanceof rds.CfnDBInstance)) continue;
    const factory = named(isCluster ? 'MigrationDatabase.fromCluster' : 'MigrationDatabase.fromInstance');
    return (
      `the secret ${secret.node.path} belongs to the database ${node.path}, whose security group stays closed: use ${factory} ` +
      'with the database, which opens it for the function'
    );
  }
  return undefined;
}

/** Says that an imported database has no address: reading it throws. */
export function addressProblem(database: Database, endpoint: () => unknown): string | undefined {
  try {
    endpoint();
    return undefined;
  } catch {
    return `the database ${database.node.path} is imported without its address: pass ${option('clusterEndpointAddress')} and ${option('port')} to ${named('fromDatabaseClusterAttributes')}`;
  }
}

/** Says why a database can't grant the permission to connect with IAM tokens: `grantConnect` throws, or RDS rejects the tokens. */
export function tokenProblem(database: Database): string | undefined {
  const { path, defaultChild } = database.node;
  if (!hasResourceId(database)) {
    const [attribute, from, field] =
      'clusterIdentifier' in database
        ? ['clusterResourceIdentifier', 'fromDatabaseClusterAttributes', 'DbClusterResourceId in "aws rds describe-db-clusters"']
        : ['instanceResourceId', 'fromDatabaseInstanceAttributes', 'DbiResourceId in "aws rds describe-db-instances"'];
    return `the database ${path} is imported without its resource id, which the permission to connect with IAM tokens names: pass ${option(attribute)} to ${named(from)} (${field})`;
  }
  const { enableIamDatabaseAuthentication: enabled } = (defaultChild ?? {}) as Partial<rds.CfnDBCluster & rds.CfnDBInstance>;
  return Stack.of(database).resolve(enabled) === false
    ? `the database ${path} rejects IAM tokens: create it with ${option('iamAuthentication', true)}`
    : undefined;
}

/** Says that a proxy of the app rejects how the function would connect; undefined if it accepts it. An imported proxy may. */
export function proxyProblem({ node }: rds.IDatabaseProxy, by: 'password' | 'token'): string | undefined {
  const { auth, defaultAuthScheme } = (node.defaultChild ?? {}) as Partial<rds.CfnDBProxy>;
  const accepted: readonly rds.CfnDBProxy.AuthFormatProperty[] =
    (node.defaultChild && Stack.of(node.defaultChild).resolve(auth)) ?? [];
  const isOnly = (mode: string) => accepted.length > 0 && accepted.every(({ iamAuth }) => iamAuth === mode);
  if (by === 'password' && isOnly('REQUIRED')) {
    return `the proxy ${node.path} accepts only IAM tokens: use ${named('MigrationDatabase.fromIamAuth')} with it, or create it without ${option('iamAuth')}`;
  }
  return by === 'token' && isOnly('DISABLED') && defaultAuthScheme !== 'IAM_AUTH'
    ? `the proxy ${node.path} rejects IAM tokens: create it with ${option('iamAuth', true)}, or use ${named('MigrationDatabase.fromProxy')}`
    : undefined;
}

function hasResourceId(database: Database): boolean {
  if (!('clusterIdentifier' in database)) return database.instanceResourceId !== undefined;
  try {
    return Boolean(database.clusterResourceIdentifier);
  } catch {
    // Imported without it.
    return false;
  }
}
