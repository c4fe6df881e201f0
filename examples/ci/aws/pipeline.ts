import { Duration, Stack, type StackProps, Stage } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { CodeBuildStep, CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { BackendStack } from './backend-stack';

/** A stage of the application, in its own account. */
interface Target {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  /** Whether someone approves between deploy and migration. */
  readonly approval: boolean;
}

const TARGETS: readonly Target[] = [
  { stage: 'dev', account: '111111111111', region: 'eu-central-1', approval: false },
  { stage: 'prod', account: '222222222222', region: 'eu-central-1', approval: true },
];

export interface MigratingPipelineProps extends StackProps {
  /** Connection of CodePipeline to the repository. */
  readonly connectionArn: string;
  /** Folder of the backend. */
  readonly backend: string;
}

/** A CDK pipeline that deploys stage after stage, and migrates each in a separate step. */
export class MigratingPipeline extends Stack {
  constructor(scope: Construct, id: string, props: MigratingPipelineProps) {
    super(scope, id, props);
    const source = CodePipelineSource.connection('OWNER/REPO', 'main', { connectionArn: props.connectionArn });
    const pipeline = new CodePipeline(this, 'Pipeline', {
      crossAccountKeys: true,
      synth: new ShellStep('Synth', {
        input: source,
        installCommands: ['pip install uv==0.13.9', 'npm ci'],
        commands: ['npx cdk synth'],
      }),
    });
    for (const target of TARGETS) {
      const { stage, account, region } = target;
      const application = new Stage(this, stage, { env: { account, region } });
      const role = this.stepRole(stage);
      new BackendStack(application, 'Backend', { stage, backend: props.backend, migratedBy: roleInAccount(this.account, role) });
      const migrate = migrateStep(target, role, source);
      const approve = new ManualApprovalStep(`Approve migration of ${stage}`);
      if (target.approval) migrate.addStepDependency(approve);
      pipeline.addStage(application, { post: target.approval ? [approve, migrate] : [migrate] });
    }
  }

  /** It has a fixed name, so that the role in the stage's account can trust only this one. */
  private stepRole(stage: string): iam.Role {
    return new iam.Role(this, `Migrate-${stage}`, {
      roleName: `template-saas-pipeline-migrate-${stage}`,
      assumedBy: new iam.ServicePrincipal('codebuild.amazonaws.com'),
    });
  }
}

/** Trusts one role of an account, with a condition instead of the role itself, which may be created later or again. */
function roleInAccount(account: string, { roleName }: iam.Role): iam.IPrincipal {
  const arn = `arn:aws:iam::${account}:role/${roleName}`;
  return new iam.AccountPrincipal(account).withConditions({ ArnEquals: { 'aws:PrincipalArn': arn } });
}

function migrateStep({ stage, account, region }: Target, role: iam.Role, source: CodePipelineSource): CodeBuildStep {
  const migrateRole = `arn:aws:iam::${account}:role/template-saas-migrate-${stage}`;
  return new CodeBuildStep(`Migrate ${stage}`, {
    input: source,
    role,
    timeout: Duration.hours(2),
    rolePolicyStatements: [new iam.PolicyStatement({ actions: ['sts:AssumeRole'], resources: [migrateRole] })],
    env: { STAGE: stage, MIGRATE_REGION: region, MIGRATE_ROLE: migrateRole },
    installCommands: ['npm ci'],
    commands: [
      'export AWS_CONFIG_FILE="$(mktemp)"',
      `printf '[profile migrate]\\nrole_arn = %s\\ncredential_source = EcsContainer\\n' "$MIGRATE_ROLE" > "$AWS_CONFIG_FILE"`,
      'npx migrate-invoke --app-name template-saas --stage "$STAGE" --region "$MIGRATE_REGION" --profile migrate --yes',
    ],
  });
}
