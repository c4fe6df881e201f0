import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type { ContainerOnDeploy } from '../../contract';
import { anyStructure, checkTypes, instance, number, optional, type PropTypes, securityGroups } from '../function/prop-types';

/** Options of {@link MigrationCompute.container}. */
export interface MigrationContainerOptions {
  /** The task's cluster. The database must be reachable from its VPC. */
  readonly cluster: ecs.ICluster;

  /**
   * CPU units of the task: 1024 are one vCPU. The database runs the statements; the task only waits.
   *
   * @default 256
   */
  readonly cpu?: number;

  /**
   * Memory of the task, in MiB. Fargate allows certain values for each `cpu`.
   *
   * @default 512
   */
  readonly memoryLimitMiB?: number;

  /**
   * The subnets of the cluster's VPC. In isolated subnets the task needs endpoints for ECR, S3, CloudWatch Logs and Secrets
   * Manager.
   *
   * @default - the VPC's private subnets
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The task's security groups.
   *
   * @default - a new one that allows all outbound traffic
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * What a deploy does when it reaches a revision for the container.
   *
   * @default ContainerDeploy.wait()
   */
  readonly onDeploy?: ContainerDeploy;
}

/** What a deploy does when it reaches a revision for the container. */
export class ContainerDeploy {
  /** The deploy waits, at most 55 minutes because of CloudFormation's limit. Then it fails, and the statement continues. */
  static wait(): ContainerDeploy {
    return new ContainerDeploy('wait');
  }

  /**
   * The deploy starts the container, which applies all pending revisions, and succeeds right away. The output
   * `ContainerExecution` names the execution. The new application code starts before the database is migrated.
   */
  static handOver(): ContainerDeploy {
    return new ContainerDeploy('handOver');
  }

  /** @internal */
  readonly _kind: ContainerOnDeploy;

  private constructor(kind: ContainerOnDeploy) {
    this._kind = kind;
  }
}

const CONTAINER_OPTIONS: PropTypes<MigrationContainerOptions> = {
  cluster: instance('a cluster of ECS, such as an ecs.Cluster', 'hasEc2Capacity'),
  cpu: optional(number),
  memoryLimitMiB: optional(number),
  vpcSubnets: optional(anyStructure),
  securityGroups: optional(securityGroups),
  onDeploy: optional(instance('a ContainerDeploy, such as ContainerDeploy.handOver()', '_kind')),
};

/** Where the migrations run. */
export class MigrationCompute {
  /** In the function only: no revision may take longer than 15 minutes. */
  static functionOnly(): MigrationCompute {
    return new MigrationCompute();
  }

  /**
   * In the function, except for revisions with `# cdk-alembic: run in container`: those run as a task on Fargate, without a
   * time limit. The task has the same package and runner, in an image that Docker builds when the stack is deployed.
   */
  static container(options: MigrationContainerOptions): MigrationCompute {
    checkTypes('MigrationCompute.container', options, CONTAINER_OPTIONS);
    return new MigrationCompute(options);
  }

  /** @internal */
  readonly _container?: MigrationContainerOptions;

  private constructor(container?: MigrationContainerOptions) {
    this._container = container;
  }
}
