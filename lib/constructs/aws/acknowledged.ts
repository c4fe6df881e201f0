import { type Acknowledgment, AspectPriority, Aspects, CfnResource, type IAspect, Stack, Validations } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { IConstruct } from 'constructs';

/*
 * cdk-nag's AwsSolutions findings that we accept, each with its reason, so that apps with cdk-nag need not suppress them.
 */

/** For cdk-nag 3 and cdk-nag 2, which read different metadata. */
function acknowledge(scope: IConstruct, ...findings: Acknowledgment[]): void {
  for (const finding of findings) acknowledgeInVersion3(scope, finding);
  Aspects.of(scope).add(new Suppressions(findings), { priority: AspectPriority.MUTATING });
}

/** Has no effect in CDK versions without `Validations`, or whose `Validations` reject an ARN in an id. */
function acknowledgeInVersion3(scope: IConstruct, finding: Acknowledgment): void {
  try {
    Validations?.of(scope).acknowledge(finding);
  } catch (error) {
    if ((error as Error).name !== 'InvalidValidationId') throw error;
  }
}

/** The resources that break a rule. */
const BREAKING: Readonly<Record<string, string>> = {
  'AwsSolutions-ECS2': 'AWS::ECS::TaskDefinition',
  'AwsSolutions-IAM5': 'AWS::IAM::Policy',
  'AwsSolutions-S1': 'AWS::S3::Bucket',
  'AwsSolutions-SF1': 'AWS::StepFunctions::StateMachine',
  'AwsSolutions-SF2': 'AWS::StepFunctions::StateMachine',
};

/** Writes what cdk-nag 2 reads into the metadata of the resources. An aspect, because a role gets its policy later. */
class Suppressions implements IAspect {
  private readonly rules: readonly { id: string; reason: string; applies_to?: string[] }[];

  constructor(findings: readonly Acknowledgment[]) {
    this.rules = findings.map(({ id, reason }) => {
      const [, rule = id, detail] = /^([^[]+)\[(.*)\]$/.exec(id) ?? [];
      return { id: rule, reason, ...(detail && { applies_to: [detail] }) };
    });
  }

  visit(resource: IConstruct): void {
    if (!CfnResource.isCfnResource(resource)) return;
    const rules = this.rules.filter(({ id }) => BREAKING[id] === resource.cfnResourceType);
    if (!rules.length) return;
    const known = resource.getMetadata('cdk_nag');
    resource.addMetadata('cdk_nag', { ...known, rules_to_suppress: [...(known?.rules_to_suppress ?? []), ...rules] });
  }
}

/** For the role of a function in a VPC. */
export function acknowledgeNetworkInterfaces(role: IConstruct): void {
  acknowledge(role, {
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Lambda attaches the function to the VPC with these actions, and AWS supports no narrower resource for them; ' +
      "the policy's next statement denies them to the function's own code",
  });
}

/** For the CDK's Provider framework below the scope. */
export function acknowledgeFramework(scope: IConstruct): void {
  const functions = scope.node
    .findAll()
    .filter((construct) => construct instanceof CfnFunction)
    // Only CloudFormation calls onEvent.
    .filter(({ handler }) => handler !== 'framework.onEvent');
  acknowledge(
    scope,
    ...functions.map((fn) => ({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(fn).getLogicalId(fn)}.Arn>:*]`,
      reason:
        "the wildcard stands for the versions of this one function; it is how the CDK's Provider framework grants an invoke",
    })),
    {
      id: 'AwsSolutions-SF1',
      reason:
        'the state machine only waits, and the handlers log what it waits for. Its events hold the presigned URL with which ' +
        "anyone could answer CloudFormation, and logging them requires permissions on all of the account's log groups",
    },
    {
      id: 'AwsSolutions-SF2',
      reason: 'the state machine only waits; tracing requires permissions on "*" and would show calls that are already logged',
    },
  );
}

/** For the task that runs long migrations. */
export function acknowledgeTaskDefinition(task: IConstruct): void {
  acknowledge(task, {
    id: 'AwsSolutions-ECS2',
    reason:
      'the variables hold no secret: the task fetches the database password from Secrets Manager, or creates a token, when it runs',
  });
}

/** For the role that Fargate uses to start that task. */
export function acknowledgeExecutionRole(role: IConstruct): void {
  acknowledge(role, {
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'ecr:GetAuthorizationToken, required to pull the image, supports no narrower resource',
  });
}

/** For the state machine that runs that task. */
export function acknowledgeStateMachine(machine: IConstruct): void {
  acknowledge(
    machine,
    {
      id: 'AwsSolutions-SF1',
      reason:
        'the state machine starts one task and waits for it: Step Functions keeps its events for 90 days, and logging them to ' +
        "CloudWatch requires permissions on all of the account's log groups",
    },
    {
      id: 'AwsSolutions-SF2',
      reason:
        'the state machine starts one task and waits for it; tracing requires permissions on "*" and would show nothing else',
    },
  );
}

/** For a role with permissions on resources whose names are unknown in advance. */
export function acknowledgeWildcard(role: IConstruct, arn: string, reason: string): void {
  acknowledge(role, { id: `AwsSolutions-IAM5[Resource::${nagArn(Stack.of(role).resolve(arn))}]`, reason });
}

/** An ARN in cdk-nag's notation. */
function nagArn(value: string | RenderedArn): string {
  if (typeof value === 'string') return value;
  if (value.Ref) return `<${value.Ref}>`;
  if (value['Fn::GetAtt']) return `<${value['Fn::GetAtt'].join('.')}>`;
  const [, parts] = value['Fn::Join'] ?? ['', []];
  return parts.map(nagArn).join('');
}

interface RenderedArn {
  readonly Ref?: string;
  readonly 'Fn::GetAtt'?: readonly string[];
  readonly 'Fn::Join'?: readonly [string, readonly (string | RenderedArn)[]];
}

/** For the state machine that runs over the tenants, and the roles of its functions. */
export function acknowledgeTenantMachine(
  scope: IConstruct,
  bucket: s3.Bucket,
  stateMachine: sfn.StateMachine,
  machineName: string,
): void {
  const files = `<${Stack.of(scope).getLogicalId(bucket.node.defaultChild as s3.CfnBucket)}.Arn>/runs/*`;
  const executions = `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${machineName}`;
  acknowledge(
    scope,
    {
      id: `AwsSolutions-IAM5[Resource::${files}]`,
      reason: "the wildcard stands for the files of the runs, in the stack's own bucket",
    },
    ...[':*', '/*'].map((end) => ({
      id: `AwsSolutions-IAM5[Resource::${executions}${end}]`,
      reason: 'the wildcard stands for the executions of this one state machine, which get their names when they start',
    })),
  );
  acknowledge(
    stateMachine,
    {
      id: 'AwsSolutions-SF1',
      reason:
        'Step Functions keeps the history of each execution for 90 days, and the bucket keeps the result of each tenant; logging ' +
        "its events elsewhere requires permissions on all of the account's log groups",
    },
    {
      id: 'AwsSolutions-SF2',
      reason: 'tracing requires permissions on "*" and shows calls that the history of the execution already shows',
    },
  );
}

/** For the bucket with the result of each tenant. */
export function acknowledgeRunsBucket(bucket: s3.Bucket): void {
  acknowledge(bucket, {
    id: 'AwsSolutions-S1',
    reason: 'only four roles of this stack read and write it, and they log what they do; an access log would need another bucket',
  });
}
