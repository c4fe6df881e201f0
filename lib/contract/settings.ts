import { choiceOf, listOf, numberFrom, objectOf, problemsOf, type Shape, text, yesOrNo } from './checks/rules';
import { SNAPSHOT_SETTINGS, type SnapshotSettings } from './production/snapshot';
import { MAX_SLICE_SECONDS, RESTRICTED_COMMANDS, type RestrictedCommand } from './request';
import type { TenantSettings } from './tenants';

/** Environment variables that the backend reads. Only named ones are filled. */
export interface DatabaseVariables {
  /** Gets the whole address, `<scheme>://user:password@host:port/database`, each part percent-encoded. */
  readonly url?: string;
  /** @default 'postgresql' */
  readonly urlScheme?: string;
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

/** Where the runner gets the database's address at run time. None contains a password. */
export type DatabaseSettings =
  /** the function's environment is complete */
  | { readonly source: 'environment' }
  /** a secret in Secrets Manager, in RDS's shape or as a URL; the values here take precedence */
  | {
      readonly source: 'secret';
      readonly secretArn: string;
      readonly variables: DatabaseVariables;
      readonly host?: string;
      readonly port?: number;
      readonly database?: string;
    }
  /** a token of IAM database authentication instead of a password */
  | {
      readonly source: 'iam';
      readonly variables: DatabaseVariables;
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
    };

/** A variable of the backend that the runner fills from a secret in Secrets Manager. */
export interface SecretVariable {
  readonly name: string;
  readonly secretArn: string;
  /** The field of a secret that holds a JSON object. @default - the secret's whole text */
  readonly field?: string;
}

/** `ignore`: keeps the catalog for the command `drift`, and compares nothing by itself. */
export const ON_DRIFT = ['warn', 'refuse', 'ignore'] as const;
export type OnDrift = (typeof ON_DRIFT)[number];

/** The construct's settings for the runner, in {@link SETTINGS_VARIABLE}. */
export interface RunnerSettings {
  readonly stage: string;
  readonly allow: readonly RestrictedCommand[];
  readonly database: DatabaseSettings;
  /** @default - no variable holds another secret than the database's */
  readonly secrets?: readonly SecretVariable[];
  /** Whether a revision that destroys data must acknowledge it. @default true */
  readonly guard?: boolean;
  /** Whether a revision must also acknowledge SQL that can't be read. @default false */
  readonly guardUnread?: boolean;
  /** Whether a person is asked before the stage is changed. @default false */
  readonly protected?: boolean;
  readonly limits?: RunnerLimits;
  /** Name or ARN of the event bus that gets an event when a run ends. @default - no events are sent */
  readonly eventBus?: string;
  /** What happens if pending revisions change logically replicated tables. @default 'warn' */
  readonly onReplication?: OnReplication;
  /** ARN of the state machine that runs a container. @default - there is none */
  readonly container?: string;
  /** What an upgrade does if the schema was changed by hand. @default - drift is not checked */
  readonly onDrift?: OnDrift;
  /** The RDS snapshots that runs make first. @default - none, and none can be requested */
  readonly snapshot?: SnapshotSettings;
  /** The function migrates tenants: it accepts only a TenantRequest. @default - it migrates its database */
  readonly tenants?: TenantSettings;
}

/**
 * - `warn`: a plan says so
 * - `refuse`: an upgrade fails with `breaks_replication` before anything is applied, even for revisions that can't be read
 * - `ignore`: it is not checked
 */
export const ON_REPLICATION = ['warn', 'refuse', 'ignore'] as const;
export type OnReplication = (typeof ON_REPLICATION)[number];

/** The runner's timeouts in seconds. */
export interface RunnerLimits {
  /** How long a run waits for another one to end before it answers `locked`. @default 60 */
  readonly mutexWaitSeconds?: number;
  /** How long a statement may queue for a lock. The application's queries queue behind it for this long. @default 5 */
  readonly lockTimeoutSeconds?: number;
  /** How long a revision is retried after a lock was not available or a deadlock was detected. @default 120 */
  readonly lockRetrySeconds?: number;
  /** How long an unreachable database is retried: a paused Aurora, a failover. Never after the first revision. @default 30 */
  readonly connectRetrySeconds?: number;
  /** Sessions that may be ended if they block a revision. @default - none is ended */
  readonly endBlockers?: EndBlockers;
}

/** Sessions that are idle in a transaction and of one of these roles or applications. */
export interface EndBlockers {
  readonly roles?: readonly string[];
  /** Values of `application_name`. */
  readonly applications?: readonly string[];
  /** How long it must have been idle. @default 30 */
  readonly idleSeconds?: number;
}

const VARIABLES: Shape<DatabaseVariables> = {
  name: 'the variables',
  keys: { url: text(), urlScheme: text(), host: text(), port: text(), user: text(), password: text(), database: text() },
  oneOf: {
    keys: ['url', 'host', 'port', 'user', 'password', 'database'],
    wrong: 'database.variables must name at least one variable',
  },
};

/** The parts of an address that can have a variable. */
export const DATABASE_VARIABLES: readonly string[] = Object.keys(VARIABLES.keys);

interface AnyDatabase {
  readonly source: string;
  readonly secretArn?: string;
  readonly variables?: DatabaseVariables;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database?: string;
}

const SOURCES = ['environment', 'secret', 'iam'] satisfies DatabaseSettings['source'][];
const ADDRESSED = { takenBy: ['secret', 'iam'], neededBy: ['iam'] };

const DATABASE: Shape<AnyDatabase> = {
  name: 'the database',
  by: 'source',
  keys: {
    source: choiceOf(SOURCES, { wrong: `{key} must be one of ${SOURCES.join(', ')}` }),
    secretArn: text({ takenBy: ['secret'], neededBy: ['secret'] }),
    variables: { ...objectOf(VARIABLES), takenBy: ['secret', 'iam'], neededBy: ['secret', 'iam'] },
    host: text(ADDRESSED),
    port: numberFrom(1, 65_535, { ...ADDRESSED, whole: true }),
    user: text({ takenBy: ['iam'], neededBy: ['iam'] }),
    database: text(ADDRESSED),
  },
};

const SECRET: Shape<SecretVariable> = {
  name: 'the secret',
  keys: { name: text({ neededBy: 'all' }), secretArn: text({ neededBy: 'all' }), field: text() },
};

const SECONDS = numberFrom(0, MAX_SLICE_SECONDS);

const NAMES = listOf(text(), '{key} must be a list of names', { min: 1 });

const END_BLOCKERS: Shape<EndBlockers> = {
  name: 'endBlockers',
  keys: { roles: NAMES, applications: NAMES, idleSeconds: SECONDS },
  oneOf: { keys: ['roles', 'applications'], wrong: 'limits.endBlockers must name roles or applications' },
};

const LIMITS: Shape<RunnerLimits> = {
  name: 'the limits',
  keys: {
    mutexWaitSeconds: SECONDS,
    lockTimeoutSeconds: SECONDS,
    lockRetrySeconds: SECONDS,
    connectRetrySeconds: SECONDS,
    endBlockers: objectOf(END_BLOCKERS),
  },
};

const TENANTS: Shape<TenantSettings> = { name: 'the settings of tenants', keys: { query: text() } };

/** The rules of {@link RunnerSettings}. */
export const SETTINGS: Shape<RunnerSettings> = {
  name: 'the settings',
  keys: {
    stage: text({ neededBy: 'all' }),
    allow: listOf(choiceOf(RESTRICTED_COMMANDS), `{key} must be a list of ${RESTRICTED_COMMANDS.join(', ')}`, {
      neededBy: 'all',
    }),
    database: { ...objectOf(DATABASE), neededBy: 'all' },
    secrets: listOf(objectOf(SECRET), '{key} must be a list of secrets', { once: 'name' }),
    guard: yesOrNo(),
    guardUnread: yesOrNo(),
    protected: yesOrNo(),
    limits: objectOf(LIMITS),
    eventBus: text(),
    onReplication: choiceOf(ON_REPLICATION),
    container: text(),
    onDrift: choiceOf(ON_DRIFT),
    snapshot: objectOf(SNAPSHOT_SETTINGS),
    tenants: objectOf(TENANTS),
  },
};

/** All problems of the function's settings; empty: they are valid. */
export function settingsProblems(settings: unknown): string[] {
  return problemsOf(SETTINGS, settings);
}
