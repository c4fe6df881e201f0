import type { IResource } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { IConstruct } from 'constructs';
import type { DatabaseSettings } from '../../contract';
import type { DatabaseVariables } from './database-variables';

/** Options of {@link MigrationDatabase.fromSecret}. */
export interface SecretDatabaseOptions {
  /** The environment variables that the backend reads. */
  readonly variables: DatabaseVariables;

  /**
   * Host name of the database's writer.
   *
   * @default - what the secret says
   */
  readonly host?: string;

  /**
   * Port of the database.
   *
   * @default - what the secret says
   */
  readonly port?: number;

  /**
   * The database to migrate.
   *
   * @default - what the secret says
   */
  readonly databaseName?: string;
}

/** Options of {@link MigrationDatabase.fromCluster} and {@link MigrationDatabase.fromInstance}. */
export interface RdsDatabaseOptions {
  /** The environment variables that the backend reads. */
  readonly variables: DatabaseVariables;

  /**
   * The secret with the role and the password.
   *
   * @default - the one that the cluster or instance has
   */
  readonly secret?: secretsmanager.ISecret;

  /**
   * The database to migrate.
   *
   * @default - what the secret says
   */
  readonly databaseName?: string;
}

/** Options of {@link MigrationDatabase.fromProxy}. */
export interface ProxyDatabaseOptions {
  /** The environment variables that the backend reads. */
  readonly variables: DatabaseVariables;

  /** The secret with the role and the password: one of those that the proxy knows. */
  readonly secret: secretsmanager.ISecret;

  /**
   * The database to migrate.
   *
   * @default - the one that the secret names
   */
  readonly databaseName?: string;
}

/** Options of {@link MigrationDatabase.fromIamAuth}. Exactly one of `cluster`, `instance` and `proxy` is given. */
export interface IamDatabaseOptions {
  /** The environment variables that the backend reads. The password's one gets a token, which is good for 15 minutes. */
  readonly variables: DatabaseVariables;

  /** The role to connect as; it is a member of `rds_iam`. */
  readonly user: string;

  /** The database to migrate. */
  readonly databaseName: string;

  /**
   * The cluster; its writer is connected to.
   *
   * @default - none
   */
  readonly cluster?: rds.IDatabaseCluster;

  /**
   * The instance.
   *
   * @default - none
   */
  readonly instance?: rds.IDatabaseInstance;

  /**
   * The proxy. Its writer's own endpoint is the better choice: a proxy pins the session that migrates.
   *
   * @default - none
   */
  readonly proxy?: rds.IDatabaseProxy;
}

/** What connects to a database: a function, or a container. */
export interface DatabaseClient extends iam.IGrantable, ec2.IConnectable {
  readonly isBoundToVpc: boolean;
}

/** What a database is when it is bound to a function. */
export interface BoundDatabase {
  readonly settings: DatabaseSettings;
  /** What must be in place before the database can be used. */
  readonly dependencies: readonly IConstruct[];
}

/** RDS Proxy answers at the engine's default port, always. */
const PROXY_PORT = 5432;

/** Where the function gets the database's address and password from, when it runs. None of it holds a password. */
export class MigrationDatabase {
  /**
   * A secret of the shape that RDS gives it (`host`, `port`, `username`, `password`, `dbname`), or one with a URL. What the options
   * name goes before what the secret says.
   */
  static fromSecret(secret: secretsmanager.ISecret, options: SecretDatabaseOptions): MigrationDatabase {
    return new MigrationDatabase((client) => bindSecret(client, secret, options));
  }

  /** An Aurora cluster: its writer, its secret, and its security group opened for the function. */
  static fromCluster(cluster: rds.IDatabaseCluster, options: RdsDatabaseOptions): MigrationDatabase {
    return fromRds(cluster, () => cluster.clusterEndpoint, options);
  }

  /** An RDS instance: its secret, and its security group opened for the function. */
  static fromInstance(instance: rds.IDatabaseInstance, options: RdsDatabaseOptions): MigrationDatabase {
    return fromRds(instance, () => instance.instanceEndpoint, options);
  }

  /**
   * An RDS Proxy with a password. Its security group is opened for the function. Prefer the writer's own endpoint where the function can
   * reach it: a proxy pins the session that migrates, and ends it when no statement arrives for 30 minutes.
   */
  static fromProxy(proxy: rds.IDatabaseProxy, options: ProxyDatabaseOptions): MigrationDatabase {
    const { secret, ...others } = options;
    return MigrationDatabase._of(proxy, (client) => {
      allowTo(client, proxy, PROXY_PORT);
      const bound = bindSecret(client, secret, { ...others, host: proxy.endpoint, port: PROXY_PORT });
      return { ...bound, dependencies: [...bound.dependencies, proxy] };
    });
  }

  /** IAM database authentication: no password at all, a token in its place. */
  static fromIamAuth(options: IamDatabaseOptions): MigrationDatabase {
    const { cluster, instance, proxy, user, databaseName: database } = options;
    const [target, ...others] = [cluster, instance, proxy].filter((candidate) => candidate !== undefined);
    if (!target || others.length) {
      return MigrationDatabase._unusable('MigrationDatabase.fromIamAuth needs exactly one of cluster, instance and proxy');
    }
    return MigrationDatabase._of(target, (client) => {
      target.grantConnect(client, user);
      const endpoint = cluster?.clusterEndpoint ?? instance?.instanceEndpoint;
      const host = endpoint?.hostname ?? proxy?.endpoint ?? '';
      const port = endpoint?.port ?? PROXY_PORT;
      allowTo(client, target, port);
      const settings: DatabaseSettings = { source: 'iam', variables: options.variables._names, host, port, user, database };
      return { settings, dependencies: [target] };
    });
  }

  /** The function's own environment is complete as it is: it holds no password, or the backend fetches it by itself. */
  static fromEnvironment(): MigrationDatabase {
    return new MigrationDatabase(() => ({ settings: { source: 'environment' }, dependencies: [] }));
  }

  /** @internal */
  static _of(resource: IResource, bind: (client: DatabaseClient) => BoundDatabase): MigrationDatabase {
    return new MigrationDatabase(bind, [], resource);
  }

  /** @internal */
  static _unusable(problem: string): MigrationDatabase {
    return new MigrationDatabase(() => ({ settings: { source: 'environment' }, dependencies: [] }), [problem]);
  }

  /** @internal */
  readonly _bind: (client: DatabaseClient) => BoundDatabase;

  /** @internal */
  readonly _problems: readonly string[];

  /** @internal The database, where the app knows it. */
  readonly _resource?: IResource;

  private constructor(bind: (client: DatabaseClient) => BoundDatabase, problems: readonly string[] = [], resource?: IResource) {
    this._bind = bind;
    this._problems = problems;
    this._resource = resource;
  }
}

function fromRds(
  database: (rds.IDatabaseCluster | rds.IDatabaseInstance) & { readonly secret?: secretsmanager.ISecret },
  endpoint: () => rds.Endpoint,
  options: RdsDatabaseOptions,
): MigrationDatabase {
  const secret = options.secret ?? database.secret;
  if (!secret) {
    return MigrationDatabase._unusable(
      `the database ${database.node.path} has no secret: give one with the option "secret", or use MigrationDatabase.fromIamAuth`,
    );
  }
  return MigrationDatabase._of(database, (client) => {
    const { hostname: host, port } = endpoint();
    allowTo(client, database, port);
    // The address is said here because a secret that RDS manages holds none.
    const bound = bindSecret(client, secret, { ...options, host, port });
    return { ...bound, dependencies: [...bound.dependencies, database] };
  });
}

function bindSecret(client: DatabaseClient, secret: secretsmanager.ISecret, options: SecretDatabaseOptions): BoundDatabase {
  secret.grantRead(client);
  const { host, port, databaseName: database, variables } = options;
  const given = { ...(host && { host }), ...(port !== undefined && { port }), ...(database && { database }) };
  const settings: DatabaseSettings = { source: 'secret', secretArn: secret.secretArn, variables: variables._names, ...given };
  return { settings, dependencies: [secret] };
}

/**
 * Opens the database's security groups for the client. The rule lives in the client's stack: in the database's stack it would refer
 * to a stack that depends on it.
 */
function allowTo(client: DatabaseClient, database: IConstruct & Partial<ec2.IConnectable>, port: number): void {
  const { connections } = database;
  if (connections && client.isBoundToVpc) client.connections.allowTo({ connections }, ec2.Port.tcp(port), 'migrations');
}
