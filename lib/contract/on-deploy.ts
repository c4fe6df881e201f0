/**
 * CloudFormation turns every property of a custom resource into a string: these are the strings that arrive at the handler.
 */
export interface OnDeployProperties {
  readonly ServiceToken: string;
  readonly FunctionName: string;
  readonly Stage: string;
  /** Changes with the package, the function's configuration and the database settings: CloudFormation then sends an Update. */
  readonly Fingerprint: string;
  /** What the deploy does about revisions that run in a container; absent: the stage has none. */
  readonly Container?: ContainerOnDeploy;
}

/** The deploy waits for the container, or starts it and goes on. */
export type ContainerOnDeploy = 'wait' | 'handOver';

/** Attributes of the custom resource (`Fn::GetAtt`). Several heads are joined with `,`; base is the empty string. */
export interface OnDeployData {
  readonly fromRevision: string;
  readonly toRevision: string;
  /** A number as a string, as CloudFormation hands attributes on. */
  readonly appliedCount: string;
  /** ARN of the execution that was handed over to; empty: none. With a container only. */
  readonly containerExecution?: string;
}
