import { Annotations, type Duration, Stack, Token } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct, IConstruct } from 'constructs';
import { MEMORY_MB, type RunnerSettings, SETTINGS_VARIABLE, type SecretVariable } from '../../contract';
import { option, runtimeOption } from '../../packaging/code-in-messages';
import { pageOf } from '../../packaging/errors';
import { PYTHON_VERSIONS } from '../../packaging/project/python-version';
import { UNUSED_PASSWORD } from '../../packaging/proof/unset-variables';
import type { BoundCode } from '../code/bound-code';
import type { MigrationContainerOptions } from '../container/migration-compute';
import type { MigrationContainer, MigrationContainerProps } from '../container/migration-container';
import { literalPasswords, resolvedSecrets } from '../database/literal-passwords';
import { MigrationDatabase } from '../database/migration-database';
import { addError, addWarning } from './annotations';
import { notAdmitted, secretElsewhere, withoutVpc } from './database-findings';
import { environmentProblems, requireFiles } from './environment-problems';
import { migrationFunction } from './migration-function';
import { runnerLimits } from './migration-limits';
import type { MigrationProps } from './migration-props';
import { replacedVariables, setTwice, variableNameProblems } from './name-problems';
import { networkProblems, RDS, SECRETS_MANAGER, subnetProblems, warnOfMissingEndpoint } from './subnet-problems';
import { warnOfUnknownRegion } from './unknown-region';

export const DEFAULT_LOG_RETENTION = logs.RetentionDays.ONE_YEAR;

export interface RunnerFunctionProps extends MigrationProps {
  /** Undefined if the name is invalid. */
  readonly functionName: string | undefined;
  readonly timeout: Duration;
  /** Errors in the other props. */
  readonly problems: readonly string[];
  /** The runner's settings that are not in the common props. */
  readonly settings: Pick<RunnerSettings, 'allow' | 'onDrift' | 'snapshot' | 'tenants'>;
  /** The container for long migrations. */
  readonly container?: MigrationContainerOptions;
}

export interface RunnerFunction {
  readonly function: lambda.Function;
  readonly container?: MigrationContainer;
  /** Resources that must exist before the database can be used. */
  readonly dependencies: readonly IConstruct[];
}

/** The function with the backend's code and the runner's settings. Reports all errors at once. */
export function runnerFunction(scope: Construct, id: string, props: RunnerFunctionProps): RunnerFunction {
  const { environment = {}, secrets = {}, functionName, timeout, vpcSubnets, securityGroups, encryptionKey } = props;
  requireFiles(scope);
  const elsewhere = environmentProblems(scope, { database: props.database._resource, VPC: props.vpc });
  // For a reference to another account or region, the CDK would throw before it shows our errors.
  const { database, vpc } = elsewhere.length ? { database: MigrationDatabase.fromEnvironment(), vpc: undefined } : props;
  const { architecture = lambda.Architecture.ARM_64, logRetention = DEFAULT_LOG_RETENTION, memorySize = MEMORY_MB } = props;
  const problems = [...props.problems, ...elsewhere, ...subnetProblems(vpc, vpcSubnets), ...propProblems(scope, props)];
  const code = bindCode(scope, props, architecture, problems);
  const shared = { functionName, architecture, environment, logRetention, encryptionKey };
  const network = { vpc, vpcSubnets, securityGroups };
  const fn = migrationFunction(scope, id, { ...shared, ...network, code, memorySize, timeout });
  const { settings, dependencies } = database._bind(fn);
  warnOfNetwork(scope, props, settings.source, vpc);
  const runnerSettings: RunnerSettings = {
    ...ownSettings(props),
    database: settings,
    secrets: bindSecrets(fn, secrets),
  };
  props.eventBus?.grantPutEventsTo(fn);
  const stack = Stack.of(scope);
  const container = props.container && code.image && createContainer(scope, { ...props.container, ...shared, image: code.image });
  if (container) {
    // The function makes the snapshot before it starts the container.
    const ofContainer = { ...runnerSettings, snapshot: undefined, database: database._bind(container).settings };
    bindSecrets(container, secrets);
    container.addSettings(stack.toJsonString(ofContainer));
    props.eventBus?.grantPutEventsTo(container);
  }
  const ofFunction: RunnerSettings = { ...runnerSettings, container: container?.stateMachineArn };
  fn.addEnvironment(SETTINGS_VARIABLE, stack.toJsonString(ofFunction));
  const created = Object.values(secrets).map(({ _secret }) => _secret);
  return { function: fn, container, dependencies: [...dependencies, ...created, ...(vpc ? [vpc] : [])] };
}

/** Errors in the props that need no code. Adds the warnings. */
function propProblems(scope: Construct, props: RunnerFunctionProps): string[] {
  const { environment = {}, secrets = {}, database, vpc, vpcSubnets, securityGroups } = props;
  const ofDatabase = database._variables?._names ?? {};
  const allSecrets = [database._secret, ...Object.values(secrets).map(({ _secret }) => _secret)];
  const findings = [
    withoutVpc(database._resource, vpc),
    notAdmitted(database._resource, { vpc, securityGroups }),
    ...[...new Set(allSecrets)].map((secret) => secretElsewhere(scope, secret)),
  ];
  for (const warning of [...database._warnings, ...findings.flatMap(({ warnings }) => warnings)]) {
    addWarning(scope, 'cdk-alembic:database', warning);
  }
  const resolved = resolvedSecrets(scope, environment);
  for (const warning of [...replacedVariables(environment, ofDatabase), ...resolved.warnings]) {
    addWarning(scope, 'cdk-alembic:environment', warning);
  }
  return [
    ...networkProblems({ vpc, vpcSubnets, securityGroups }),
    ...variableNameProblems('environment', environment),
    ...variableNameProblems('secrets', secrets),
    ...setTwice(environment, secrets, ofDatabase),
    ...literalPasswords(environment),
    ...resolved.errors,
    ...database._problems,
    ...findings.flatMap(({ errors }) => errors),
  ];
}

/** Warns of a server or a service that the function may be unable to verify or reach. */
function warnOfNetwork(
  scope: Construct,
  { environment = {}, secrets = {}, settings, vpcSubnets }: RunnerFunctionProps,
  source: RunnerSettings['database']['source'],
  vpc: IVpc | undefined,
): void {
  if (source !== 'environment') warnOfUnknownRegion(scope, environment);
  if (source === 'secret' || Object.keys(secrets).length) warnOfMissingEndpoint(scope, SECRETS_MANAGER, vpc, vpcSubnets);
  if (settings.snapshot) warnOfMissingEndpoint(scope, RDS, vpc, vpcSubnets);
}

/** The runner's settings that no resource determines. */
function ownSettings(props: RunnerFunctionProps): Omit<RunnerSettings, 'database'> {
  return {
    stage: props.stage,
    ...props.settings,
    guard: props.guardDataLoss,
    guardUnread: props.guardUnreadSql,
    protected: props.protectedStage,
    limits: runnerLimits(props.limits ?? {}),
    onReplication: props.onReplication?._setting,
    eventBus: props.eventBus?.eventBusArn,
  };
}

function createContainer(scope: Construct, props: MigrationContainerProps): MigrationContainer {
  // Most apps have no container, and loading the CDK's ECS takes a while.
  const { MigrationContainer: Container } =
    require('../container/migration-container') as typeof import('../container/migration-container');
  return new Container(scope, 'Container', props);
}

/** Allows a client to read secrets. Returns the runner's settings; undefined without secrets. */
function bindSecrets(client: IGrantable, secrets: NonNullable<MigrationProps['secrets']>): readonly SecretVariable[] | undefined {
  const all = Object.entries(secrets).map(([name, { _secret, _field }]) => {
    _secret.grantRead(client);
    return { name, secretArn: _secret.secretArn, ...(_field && { field: _field }) };
  });
  return all.length ? all : undefined;
}

/** Packages the code. */
function bindCode(
  scope: Construct,
  props: RunnerFunctionProps,
  architecture: lambda.Architecture,
  problems: readonly string[],
): BoundCode {
  const given = props.runtime?.name;
  const pythonVersion = given ? PYTHON_VERSIONS.find((version) => given === `python${version}`) : props.code._pythonVersion();
  const supported = [...PYTHON_VERSIONS].sort().join(', ');
  const all = pythonVersion
    ? problems
    : [
        ...problems,
        `the runner supports Python ${supported}, and ${option('runtime')} is ${given}: set ${runtimeOption(PYTHON_VERSIONS[0] as string)}`,
      ];
  const platform = { architecture: architecture.name as 'arm64' | 'x86_64', pythonVersion: pythonVersion ?? '3.13' };
  const secrets = Object.keys(props.secrets ?? {});
  const variables = [
    ...Object.entries(props.environment ?? {}),
    ...secrets.map((name): [string, string] => [name, UNUSED_PASSWORD]),
  ];
  const environment = Object.fromEntries(
    variables
      .filter(([, value]) => !Token.isUnresolved(value))
      // The hash of a package of what is imported covers them.
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  const databaseVariables = props.database._variables?._names;
  // env.py may read what only a tenant has.
  const hasUnknownVariables = variables.some(([, value]) => Token.isUnresolved(value)) || props.settings.tenants !== undefined;
  // env.py may reject the placeholder of a secret.
  const isAssumed = secrets.length > 0;
  const target = { platform, environment, databaseVariables, hasUnknownVariables, isAssumed };
  const code = props.code._bind(scope, target, all.length === 0);
  const unpackaged = code.errors.map((error) => `${error.code}: ${error.text} (${pageOf(error.code)})`);
  for (const error of [...all, ...unpackaged]) addError(scope, error);
  for (const warning of code.warnings) addWarning(scope, 'cdk-alembic:package', warning);
  if (code.found) Annotations.of(scope).addInfoV2('cdk-alembic:found', code.found);
  return code;
}
