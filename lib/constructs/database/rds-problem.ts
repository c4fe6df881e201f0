import type * as rds from 'aws-cdk-lib/aws-rds';

type Database = rds.IDatabaseCluster | rds.IDatabaseInstance;

/** Says why no migration can run on a database that the app has as an object. */
export function engineProblem(database: Database): string | undefined {
  const { path, defaultChild } = database.node;
  const type = database.engine?.engineType;
  if (type && !type.includes('postgres')) {
    return `the database ${path} has the engine ${type}, and migrations run on PostgreSQL: create it with rds.DatabaseInstanceEngine.postgres or rds.DatabaseClusterEngine.auroraPostgres`;
  }
  const { sourceDbInstanceIdentifier: primary } = (defaultChild ?? {}) as Partial<rds.CfnDBInstance>;
  return primary ? `the database ${path} is a read replica, and migrations write: give its primary` : undefined;
}

/** Says that an imported database has no address: reading it throws. */
export function addressProblem(database: Database, endpoint: () => unknown): string | undefined {
  try {
    endpoint();
    return undefined;
  } catch {
    return `the database ${database.node.path} is imported without its address: give clusterEndpointAddress and port to fromDatabaseClusterAttributes`;
  }
}
