import { Annotations, type IResource } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { IConstruct } from 'constructs';
import type { DatabaseSettings } from '../../contract';
import { named, option } from '../../packaging/code-in-messages';
import {
  checkArgument,
  checkTypes,
  instance,
  nonEmpty,
  optional,
  type PropTypes,
  rdsCluster,
  rdsInstance,
  whole,
} from '../function/prop-types';
import type { DatabaseVariables } from './database-variables';
import { SECRET } from './migration-secret';
import { addressProblem, closedProblem, databaseNameProblem, engineProblem, proxyProblem, tokenProblem } from './rds-problem';

/** Options of {@link MigrationDatabase.fromSecret}. */
export interface SecretDatabaseOptions {
  /** The environment variables that the backend reads. */
  readonly variables: DatabaseVariables;

  /**
   * Host name of the database's writer.
   *
   * @default - from the secret
   */
  readonly host?: string;

  /**
   * Port of the database.
   *
   * @default - from the secret
   */
  readonly port?: number;

  /**
   * The database to migrate.
   *
   * @default - from the secret
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
   * @default - the secret of the cluster or instance
   */
  readonly secret?: secretsmanager.ISecret;

  /**
   * The database to migrate.
   *
   * @default - from the secret
   */
  readonly databaseName?: string;
}

/** Options of {@link MigrationDatabase.fromProxy}. */
export interface ProxyDatabaseOptions {
  /** The environment variables that the backend reads. */
  readonly variables: DatabaseVariables;

  /** The secret with the role and the password. The proxy must use it too. */
  readonly secret: secretsmanager.ISecret;

  /**
   * The database to migrate.
   *
   * @default - from the secret
   */
  readonly databaseName?: string;
}

/** Options of {@link MigrationDatabase.fromIamAuth}. Set exactly one of `cluster`, `instance` and `proxy`. */
export interface IamDatabaseOptions {
  /** The environment variables that the backend reads. The password variable holds a token that is valid for 15 minutes. */
  readonly variables: DatabaseVariables;

  /** The role to connect as. It must be a member of `rds_iam`. */
  readonly user: string;

  /** The database to migrate. */
  readonly databaseName: string;

  /**
   * The cluster. The function connects to its writer.
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
   * The proxy. Prefer the writer's endpoint: a proxy pins the session that migrates.
   *
   * @default - none
   */
  readonly proxy?: rds.IDatabaseProxy;
}

/** The client of a database: a function, or a container. */
export interface DatabaseClient extends iam.IGrantable, ec2.IConnectable {
  readonly isBoundToVpc: boolean;
}

/** A database that is bound to a function. */
export interface BoundDatabase {
  readonly settings: DatabaseSettings;
  /** Resources that must exist before the database can be used. */
  readonly dependencies: readonly IConstruct[];
}

/** The facts about a database that are known at synth. */
interface KnownDatabase {
  readonly problems?: readonly string[];
  readonly warnings?: readonly string[];
  readonly resource?: IResource;
  readonly secret?: secretsmanager.ISecret;
  readonly variables?: DatabaseVariables;
}

const PROXY = instance('a proxy, such as an rds.DatabaseProxy', 'dbProxyName');

const variables = instance("DatabaseVariables, such as DatabaseVariables.url('DATABASE_URL')", '_names');

const SECRET_OPTIONS: PropTypes<SecretDatabaseOptions> = {
  variables,
  host: optional(nonEmpty),
  port: optional(whole(1, 65_535)),
  databaseName: optional(nonEmpty),
};

const RDS_OPTIONS: PropTypes<RdsDatabaseOptions> = { variables, secret: optional(SECRET), databaseName: optional(nonEmpty) };

const PROXY_OPTIONS: PropTypes<ProxyDatabaseOptions> = { variables, secret: SECRET, databaseName: optional(nonEmpty) };

const IAM_OPTIONS: PropTypes<IamDatabaseOptions> = {
  variables,
  user: nonEmpty,
  databaseName: nonEmpty,
  cluster: optional(rdsCluster),
  instance: optional(rdsInstance),
  proxy: optional(PROXY),
};

/** RDS Proxy always listens on the engine's default port. */
const PROXY_PORT = 5432;

/** Where the function gets the database's address and password at run time. It never contains a password itself. */
export class MigrationDatabase {
  /**
   * A secret with RDS's keys (`host`, `port`, `username`, `password`, `dbname`), or one with a URL. The options override the
   * secret. Does not open the database's security group for the function.
   */
  static fromSecret(secret: secretsmanager.ISecret, options: SecretDatabaseOptions): MigrationDatabase {
    checkArgument('MigrationDatabase.fromSecret', 'secret', secret, SECRET);
    checkTypes('MigrationDatabase.fromSecret', options, SECRET_OPTIONS);
    const warning = options.host ? undefined : closedProblem(secret);
    const known = { secret, variables: options.variables, warnings: warning ? [warning] : [] };
    return MigrationDatabase._of(known, (client) => bindSecret(client, secret, options));
  }

  /** An Aurora cluster: its writer and its secret. Opens its security group for the function. */
  static fromCluster(cluster: rds.IDatabaseCluster, options: RdsDatabaseOptions): MigrationDatabase {
    checkArgument('MigrationDatabase.fromCluster', 'cluster', cluster, rdsCluster);
    checkTypes('MigrationDatabase.fromCluster', options, RDS_OPTIONS);
    return fromRds(cluster, () => cluster.clusterEndpoint, options);
  }

  /** An RDS instance: its address and its secret. Opens its security group for the function. */
  static fromInstance(instance: rds.IDatabaseInstance, options: RdsDatabaseOptions): MigrationDatabase {
    checkArgument('MigrationDatabase.fromInstance', 'instance', instance, rdsInstance);
    checkTypes('MigrationDatabase.fromInstance', options, RDS_OPTIONS);
    return fromRds(instance, () => instance.instanceEndpoint, options);
  }

  /**
   * An RDS Proxy with a password. Opens its security group for the function. Prefer the writer's endpoint if the function can
   * reach it: a proxy pins the session that migrates, and closes it after 30 minutes without a statement.
   */
  static fromProxy(proxy: rds.IDatabaseProxy, options: ProxyDatabaseOptions): MigrationDatabase {
    checkArgument('MigrationDatabase.fromProxy', 'proxy', proxy, PROXY);
    checkTypes('MigrationDatabase.fromProxy', options, PROXY_OPTIONS);
    const problem = proxyProblem(proxy, 'password');
    if (problem) return MigrationDatabase._unusable(problem);
    const { secret, ...others } = options;
    return MigrationDatabase._of({ resource: proxy, secret, variables: options.variables }, (client) => {
      allowTo(client, proxy, PROXY_PORT);
      const bound = bindSecret(client, secret, { ...others, host: proxy.endpoint, port: PROXY_PORT });
      return { ...bound, dependencies: [...bound.dependencies, proxy] };
    });
  }

  /** IAM database authentication: a token instead of a password. */
  static fromIamAuth(options: IamDatabaseOptions): MigrationDatabase {
    checkTypes('MigrationDatabase.fromIamAuth', options, IAM_OPTIONS);
    const { cluster, instance, proxy, user, databaseName } = options;
    const [target, ...others] = [cluster, instance, proxy].filter((candidate) => candidate !== undefined);
    if (!target || others.length) {
      return MigrationDatabase._unusable(
        `${named('MigrationDatabase.fromIamAuth')} requires exactly one of cluster, instance and proxy`,
      );
    }
    const endpoint = () => cluster?.clusterEndpoint ?? instance?.instanceEndpoint;
    const database = cluster ?? instance;
    const problem = database
      ? (engineProblem(database) ?? addressProblem(database, endpoint) ?? tokenProblem(database))
      : proxy && proxyProblem(proxy, 'token');
    if (problem) return MigrationDatabase._unusable(problem);
    return MigrationDatabase._of({ resource: target, variables: options.variables }, (client) => {
      target.grantConnect(client, user);
      const { hostname: host, port } = endpoint() ?? { hostname: proxy?.endpoint ?? '', port: PROXY_PORT };
      allowTo(client, target, port);
      const settings: DatabaseSettings = {
        source: 'iam',
        variables: options.variables._names,
        host,
        port,
        user,
        database: databaseName,
      };
      return { settings, dependencies: [target] };
    });
  }

  /** The function's environment is already complete: it requires no password, or the backend fetches the password itself. */
  static fromEnvironment(): MigrationDatabase {
    return new MigrationDatabase(() => ({ settings: { source: 'environment' }, dependencies: [] }));
  }

  /** @internal */
  static _of(known: KnownDatabase, bind: (client: DatabaseClient) => BoundDatabase): MigrationDatabase {
    return new MigrationDatabase(bind, known);
  }

  /** @internal */
  static _unusable(problem: string): MigrationDatabase {
    return new MigrationDatabase(() => ({ settings: { source: 'environment' }, dependencies: [] }), { problems: [problem] });
  }

  /** @internal */
  readonly _bind: (client: DatabaseClient) => BoundDatabase;

  /** @internal */
  readonly _problems: readonly string[];

  /** @internal The database, if the app knows it. */
  readonly _resource?: IResource;

  /** @internal The secret with the password. */
  readonly _secret?: secretsmanager.ISecret;

  /** @internal */
  readonly _warnings: readonly string[];

  /** @internal The variables that the function fills. */
  readonly _variables?: DatabaseVariables;

  private constructor(bind: (client: DatabaseClient) => BoundDatabase, known: KnownDatabase = {}) {
    this._bind = bind;
    this._problems = known.problems ?? [];
    this._warnings = known.warnings ?? [];
    this._resource = known.resource;
    this._secret = known.secret;
    this._variables = known.variables;
  }
}

function fromRds(
  database: (rds.IDatabaseCluster | rds.IDatabaseInstance) & { readonly secret?: secretsmanager.ISecret },
  endpoint: () => rds.Endpoint,
  options: RdsDatabaseOptions,
): MigrationDatabase {
  const engine = engineProblem(database);
  if (engine) return MigrationDatabase._unusable(engine);
  const secret = options.secret ?? database.secret;
  if (!secret) {
    return MigrationDatabase._unusable(
      `the database ${database.node.path} has no secret: pass one with ${option('secret')}, or use ${named('MigrationDatabase.fromIamAuth')}`,
    );
  }
  const address = addressProblem(database, endpoint);
  if (address) return MigrationDatabase._unusable(address);
  const name = options.databaseName || options.secret ? {} : databaseNameProblem(database);
  if (name.error) return MigrationDatabase._unusable(name.error);
  const warnings = name.warning ? [name.warning] : [];
  return MigrationDatabase._of({ resource: database, secret, warnings, variables: options.variables }, (client) => {
    const { hostname: host, port } = endpoint();
    allowTo(client, database, port);
    // The address is set here because an RDS-managed secret has none.
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
 * Opens the database's security groups for the client. The rule is in the client's stack: in the database's stack it would
 * refer to a stack that depends on it.
 */
function allowTo(client: DatabaseClient, database: IConstruct & Partial<ec2.IConnectable>, port: number): void {
  const { connections } = database;
  if (!connections || !client.isBoundToVpc) return;
  client.connections.allowTo({ connections }, ec2.Port.tcp(port), 'migrations');
  // Of the two rules, the CDK omits the one for a group that lets everything out, as most do, and warns about it.
  for (const group of client.connections.securityGroups) {
    Annotations.of(group).acknowledgeWarning('@aws-cdk/aws-ec2:ipv4IgnoreEgressRule', 'the group already lets everything out');
  }
}
