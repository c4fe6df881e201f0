/**
 * CloudFormation turns every property of a custom resource into a string: these strings arrive at the handler.
 */
export interface OnDeployProperties {
  readonly ServiceToken: string;
  readonly FunctionName: string;
  readonly Stage: string;
  /** Changes with the package, the function's configuration and the database settings: CloudFormation then sends an Update. */
  readonly Fingerprint: string;
  /** How the deploy treats revisions that run in a container; absent: the stage has no container. */
  readonly Container?: ContainerOnDeploy;
  /** Present: runs make RDS snapshots. */
  readonly Snapshot?: 'true';
}

/** The deploy waits for the container, or starts it and continues. */
export type ContainerOnDeploy = 'wait' | 'handOver';

/** Attributes of the custom resource (`Fn::GetAtt`). Several heads are joined with `,`; base is the empty string. */
export interface OnDeployData {
  readonly fromRevision: string;
  readonly toRevision: string;
  /** A number as a string, as CloudFormation passes attributes. */
  readonly appliedCount: string;
  /** ARN of the execution that the run was handed over to; empty: none. Only with a container. */
  readonly containerExecution?: string;
  /** Identifier of the RDS snapshot that was made first; empty: none. Only with snapshots. */
  readonly snapshot?: string;
}
