import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type { ContainerOnDeploy } from '../../contract';

/** Options of {@link MigrationCompute.container}. */
export interface MigrationContainerOptions {
  /** The cluster that the task runs on. Its VPC is the one from which the database can be reached. */
  readonly cluster: ecs.ICluster;

  /**
   * Share of a processor for the task, in 1/1024. The statement runs in the database: this one only waits.
   *
   * @default 256
   */
  readonly cpu?: number;

  /**
   * Memory of the task, in MiB. Fargate knows pairs of it with `cpu`.
   *
   * @default 512
   */
  readonly memoryLimitMiB?: number;

  /**
   * The subnets of the cluster's VPC. In isolated subnets the task needs endpoints for ECR, S3, CloudWatch Logs and Secrets Manager.
   *
   * @default - the VPC's private subnets
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The task's security groups.
   *
   * @default - one of its own, which may send anywhere
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * What a deploy does when it comes to a revision for the container.
   *
   * @default ContainerDeploy.wait()
   */
  readonly onDeploy?: ContainerDeploy;
}

/** What a deploy does when it comes to a revision for the container. */
export class ContainerDeploy {
  /** The deploy waits, for 55 minutes at most: CloudFormation allows no more. Then it fails; the statement goes on. */
  static wait(): ContainerDeploy {
    return new ContainerDeploy('wait');
  }

  /**
   * The deploy starts the container, which applies all that is pending, and succeeds at once; the output `ContainerExecution` says
   * where to look. The new application code meets a database that is still on its way.
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

/** Where the migrations run. */
export class MigrationCompute {
  /** All in the function: no revision may take longer than 15 minutes. */
  static lambda(): MigrationCompute {
    return new MigrationCompute();
  }

  /**
   * In the function, but for revisions that say `# cdk-alembic: run in container`: those run as a task on Fargate, which has no
   * deadline. It is the same package and runner, in an image that Docker builds when the stack is deployed.
   */
  static container(options: MigrationContainerOptions): MigrationCompute {
    return new MigrationCompute(options);
  }

  /** @internal */
  readonly _container?: MigrationContainerOptions;

  private constructor(container?: MigrationContainerOptions) {
    this._container = container;
  }
}
