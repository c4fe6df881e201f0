import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { containerStateMachineName, SETTINGS_VARIABLE, TASK_MODULE } from '../../contract';
import {
  acknowledgeExecutionRole,
  acknowledgeStateMachine,
  acknowledgeTaskDefinition,
  acknowledgeWildcard,
} from '../aws/acknowledged';
import { logGroup } from '../aws/log-group';
import type { BoundCode } from '../code/bound-code';
import type { DatabaseClient } from '../database/migration-database';
import { CONTAINER_NAME, containerDefinition } from './container-definition';
import type { MigrationContainerOptions } from './migration-compute';

export interface MigrationContainerProps extends MigrationContainerOptions {
  /** Name of the function that it belongs to; undefined if invalid. */
  readonly functionName: string | undefined;
  readonly image: NonNullable<BoundCode['image']>;
  readonly architecture: lambda.Architecture;
  readonly environment: { readonly [name: string]: string };
  readonly logRetention: logs.RetentionDays;
  readonly encryptionKey: kms.IKey | undefined;
}

/** Fargate's maximum. The task takes a second or two to cancel its statement and report that. */
const STOP_TIMEOUT = Duration.seconds(120);

/**
 * The rule that notifies Step Functions when a task ends, https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
 */
const SFN_RULE = 'StepFunctionsGetEventsForECSTaskRule';

/** The runner as a task on Fargate, and the state machine that runs it. */
export class MigrationContainer extends Construct implements DatabaseClient {
  readonly grantPrincipal: iam.IPrincipal;
  readonly connections: ec2.Connections;
  readonly isBoundToVpc = true;
  readonly stateMachineArn: string;
  /** A pattern that matches all its executions. */
  readonly executionsArn: string;
  readonly failureAlarm: cloudwatch.Alarm;
  private readonly container: ecs.ContainerDefinition;
  private readonly encryptionKey?: kms.IKey;

  constructor(scope: Construct, id: string, props: MigrationContainerProps) {
    super(scope, id);
    const { cluster, functionName, encryptionKey } = props;
    const name = functionName && containerStateMachineName(functionName);
    const task = this.taskDefinition(name, props);
    this.container = this.addRunner(task, props);
    this.grantPrincipal = task.taskRole.grantPrincipal;
    this.encryptionKey = encryptionKey;
    const securityGroups = props.securityGroups ?? [
      new ec2.SecurityGroup(this, 'SecurityGroup', {
        vpc: cluster.vpc,
        description: 'The container that runs long migrations',
      }),
    ];
    this.connections = new ec2.Connections({ securityGroups });
    const machine = this.machine(name, task, securityGroups, props);
    this.stateMachineArn = machine.attrArn;
    this.executionsArn = this.arnOf('states', 'execution', `${name ?? machine.attrName}:*`, ArnFormat.COLON_RESOURCE_NAME);
    this.failureAlarm = this.alarm(name);
  }

  private taskDefinition(name: string | undefined, props: MigrationContainerProps): ecs.FargateTaskDefinition {
    const task = new ecs.FargateTaskDefinition(this, 'Task', {
      ...(name && { family: name }),
      cpu: props.cpu ?? 256,
      memoryLimitMiB: props.memoryLimitMiB ?? 512,
      runtimePlatform: {
        cpuArchitecture:
          props.architecture === lambda.Architecture.ARM_64 ? ecs.CpuArchitecture.ARM64 : ecs.CpuArchitecture.X86_64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
    });
    acknowledgeTaskDefinition(task);
    acknowledgeExecutionRole(task.obtainExecutionRole());
    return task;
  }

  private addRunner(task: ecs.FargateTaskDefinition, props: MigrationContainerProps): ecs.ContainerDefinition {
    const group = logGroup(this, 'LogGroup', { ...props, name: props.functionName && `${props.functionName}/container` });
    const { region } = Stack.of(this);
    return task.addContainer(CONTAINER_NAME, {
      containerName: CONTAINER_NAME,
      image: ecs.ContainerImage.fromDockerImageAsset(props.image(this)),
      entryPoint: ['python3', '-m', TASK_MODULE],
      workingDirectory: '/var/task',
      environment: {
        // As in the function: some of Lambda's images have the AWS SDK here.
        PYTHONPATH: '/var/runtime',
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        ...props.environment,
      },
      logging: ecs.LogDrivers.awsLogs({ logGroup: group, streamPrefix: CONTAINER_NAME }),
      stopTimeout: STOP_TIMEOUT,
    });
  }

  /** The state machine that runs the task. */
  private machine(
    name: string | undefined,
    task: ecs.FargateTaskDefinition,
    securityGroups: readonly ec2.ISecurityGroup[],
    { cluster, vpcSubnets, encryptionKey }: MigrationContainerProps,
  ): CfnStateMachine {
    const subnets = cluster.vpc.selectSubnets(vpcSubnets);
    const role = new iam.Role(this, 'StateMachineRole', { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });
    this.allowTasks(role, cluster, task);
    encryptionKey?.grant(role, 'kms:Decrypt', 'kms:GenerateDataKey');
    const definition = containerDefinition({
      partition: Stack.of(this).partition,
      cluster: cluster.clusterArn,
      taskDefinition: task.taskDefinitionArn,
      subnets: subnets.subnetIds,
      securityGroups: securityGroups.map(({ securityGroupId }) => securityGroupId),
      assignPublicIp: subnets.hasPublic,
    });
    const machine = new CfnStateMachine(this, 'StateMachine', {
      ...(name && { stateMachineName: name }),
      stateMachineType: 'STANDARD',
      roleArn: role.roleArn,
      definitionString: Stack.of(this).toJsonString(definition),
      ...(encryptionKey && {
        encryptionConfiguration: {
          type: 'CUSTOMER_MANAGED_KMS_KEY',
          kmsKeyId: encryptionKey.keyArn,
          kmsDataKeyReusePeriodSeconds: Duration.minutes(5).toSeconds(),
        },
      }),
    });
    machine.node.addDependency(role);
    acknowledgeStateMachine(machine);
    return machine;
  }

  /** Sets the settings of the runner in the container. */
  addSettings(settings: string): void {
    this.container.addEnvironment(SETTINGS_VARIABLE, settings);
  }

  /** Grants the permissions to start the container and watch it. */
  allowRun(grantee: iam.IGrantable): iam.Grant {
    this.encryptionKey?.grant(grantee, 'kms:Decrypt', 'kms:GenerateDataKey');
    return iam.Grant.addToPrincipal({
      grantee,
      actions: ['states:StartExecution'],
      resourceArns: [this.stateMachineArn],
    }).combine(iam.Grant.addToPrincipal({ grantee, actions: ['states:DescribeExecution'], resourceArns: [this.executionsArn] }));
  }

  /** Grants Step Functions the permissions to run a task, and to stop it with the execution. */
  private allowTasks(role: iam.Role, cluster: ecs.ICluster, task: ecs.FargateTaskDefinition): void {
    const allow = (actions: string[], resources: string[], conditions?: iam.PolicyStatementProps['conditions']) =>
      role.addToPolicy(new iam.PolicyStatement({ actions, resources, conditions }));
    const inCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    const revisions = this.arnOf('ecs', 'task-definition', `${task.family}:*`);
    const tasks = this.arnOf('ecs', 'task', `${cluster.clusterName}/*`);
    // A policy that changes with each revision would take time to propagate in IAM.
    allow(['ecs:RunTask'], [revisions], inCluster);
    allow(['ecs:StopTask', 'ecs:DescribeTasks'], [tasks], inCluster);
    allow(['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], [this.arnOf('events', 'rule', SFN_RULE)]);
    allow(['iam:PassRole'], [task.taskRole.roleArn, task.obtainExecutionRole().roleArn], {
      StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
    });
    acknowledgeWildcard(role, revisions, 'the wildcard stands for the revisions of this one task definition');
    acknowledgeWildcard(role, tasks, 'the wildcard stands for the tasks of this one cluster, which have no name before they run');
  }

  private alarm(name: string | undefined): cloudwatch.Alarm {
    const metric = new cloudwatch.Metric({
      namespace: 'AWS/States',
      metricName: 'ExecutionsFailed',
      dimensionsMap: { StateMachineArn: this.stateMachineArn },
      period: Duration.minutes(1),
      statistic: cloudwatch.Stats.SUM,
    });
    return metric.createAlarm(this, 'FailureAlarm', {
      ...(name && { alarmName: `${name}-failed` }),
      alarmDescription: `A migration in a container failed. The reason is in the log group of the container, as "run_failed".`,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
  }

  private arnOf(service: string, resource: string, resourceName: string, arnFormat = ArnFormat.SLASH_RESOURCE_NAME): string {
    return Stack.of(this).formatArn({ service, resource, resourceName, arnFormat });
  }
}
