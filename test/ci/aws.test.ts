import { Template } from 'aws-cdk-lib/assertions';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as iam from 'aws-cdk-lib/aws-iam';
import { deployRole, githubJobs, gitlabJobs, migrateRole } from '../../examples/ci/aws/ci-roles';
import { migrateProject } from '../../examples/ci/aws/codebuild';
import { type Resource, resourcesOf } from '../constructs/support';
import { buildOf, pipelineIn, quickApp, templateWith } from './synthesized';

const INVOKE = {
  Effect: 'Allow',
  Action: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
  Resource: { 'Fn::GetAtt': [expect.stringContaining('MigrationFunction'), 'Arn'] },
};
const PROVIDER = 'arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com';

/** What the policies of a role allow. */
function allowed(template: Template, roleName: string): unknown[] {
  const [roleId] = roleOf(template, roleName);
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === roleId))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
}

function roleOf(template: Template, roleName: string): [string, Resource] {
  return resourcesOf(template, 'AWS::IAM::Role').find(([, { Properties }]) => Properties.RoleName === roleName) as [
    string,
    Resource,
  ];
}

const trust = (template: Template, roleName: string): unknown =>
  roleOf(template, roleName)[1].Properties.AssumeRolePolicyDocument.Statement;

describe('the roles of CI', () => {
  const template = templateWith((stack, migration) => {
    const provider = iam.OidcProviderNative.fromOidcProviderArn(stack, 'Provider', PROVIDER);
    migrateRole(stack, 'prod', migration, githubJobs(provider, 'repo:OWNER/REPO:environment:prod'));
    deployRole(stack, 'prod', migration, gitlabJobs(provider, 'GROUP/PROJECT', 'main'));
  });

  test('the migration role may invoke one function and do nothing else', () => {
    expect(allowed(template, 'template-saas-migrate-prod')).toEqual([INVOKE]);
  });

  test('the deploy role may assume the bootstrap roles of its account and region, and query one function', () => {
    const bootstrap = ['deploy', 'file-publishing', 'image-publishing', 'lookup'].map(
      (kind) => `:iam::222222222222:role/cdk-hnb659fds-${kind}-role-222222222222-eu-central-1`,
    );
    expect(allowed(template, 'template-saas-deploy-prod')).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Resource: bootstrap.map((arn) => ({ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, arn]] })),
      },
      INVOKE,
    ]);
  });

  test('trust one repository and environment on GitHub, one project and branch on GitLab', () => {
    const trusted = (condition: object) => [
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRoleWithWebIdentity',
        Principal: { Federated: PROVIDER },
        Condition: { StringEquals: condition },
      },
    ];
    expect(trust(template, 'template-saas-migrate-prod')).toEqual(
      trusted({
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': 'repo:OWNER/REPO:environment:prod',
      }),
    );
    expect(trust(template, 'template-saas-deploy-prod')).toEqual(
      trusted({
        'gitlab.com:aud': 'https://gitlab.com',
        'gitlab.com:sub': 'project_path:GROUP/PROJECT:ref_type:branch:ref:main',
      }),
    );
  });
});

describe('the CodeBuild project', () => {
  const source = codebuild.Source.gitHub({ owner: 'OWNER', repo: 'REPO' });
  const template = templateWith((stack, migration) => migrateProject(stack, 'prod', migration, source));

  test('may only invoke one function and write its logs and reports', () => {
    const statements = resourcesOf(template, 'AWS::IAM::Policy')
      .filter(([id]) => id.startsWith('MigrateProject'))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
    expect(statements).toContainEqual(INVOKE);
    const actions = statements.filter(({ Action }) => Action[0] !== INVOKE.Action[0]).flatMap(({ Action }) => Action);
    for (const action of actions) expect(action).toMatch(/^(logs|codebuild):/);
  });

  test('migrates one stage, one build at a time', () => {
    const [[, project]] = resourcesOf(template, 'AWS::CodeBuild::Project') as [[string, Resource]];
    expect(project.Properties).toMatchObject({ ConcurrentBuildLimit: 1, TimeoutInMinutes: 120 });
    expect(buildOf(project.Properties)).toEqual({
      commands: ['npm ci', 'npx migrate-invoke --app-name template-saas --stage "$STAGE" --yes'],
      variables: { STAGE: 'prod' },
    });
  });
});

describe('CDK Pipelines', () => {
  const app = quickApp();
  const template = Template.fromStack(pipelineIn(app));
  const assembly = app.synth();
  const backend = (stage: string): Template =>
    Template.fromJSON(assembly.stacksRecursively.find(({ stackName }) => stackName === `${stage}-Backend`)?.template);

  test('the deploy of a stage does not migrate', () => {
    for (const stage of ['dev', 'prod']) {
      expect(resourcesOf(backend(stage), 'Custom::AlembicMigration')).toEqual([]);
      expect(resourcesOf(backend(stage), 'AWS::Lambda::Function')).toHaveLength(1);
    }
  });

  test('each stage migrates after its deploy; prod waits for an approval in between', () => {
    const [[, pipeline]] = resourcesOf(template, 'AWS::CodePipeline::Pipeline') as [[string, Resource]];
    const actions = (stage: string): unknown[] =>
      pipeline.Properties.Stages.find(({ Name }: { Name: string }) => Name === stage)
        .Actions.map(({ Name, RunOrder }: { Name: string; RunOrder: number }) => `${RunOrder} ${Name}`)
        .sort();
    expect(actions('dev')).toEqual(['1 Backend.Prepare', '2 Backend.Deploy', '3 Migrate_dev']);
    expect(actions('prod')).toEqual(['1 Backend.Prepare', '2 Backend.Deploy', '3 Approve_migration_of_prod', '4 Migrate_prod']);
  });

  test.each([
    ['dev', '111111111111'],
    ['prod', '222222222222'],
  ])(
    'the step of %s may assume one role in account %s, which trusts only this step and may invoke one function',
    (stage, account) => {
      const step = `template-saas-pipeline-migrate-${stage}`;
      const assume = allowed(template, step).filter((statement) => JSON.stringify(statement).includes('sts:'));
      expect(assume).toEqual([
        { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: `arn:aws:iam::${account}:role/template-saas-migrate-${stage}` },
      ]);
      expect(trust(backend(stage), `template-saas-migrate-${stage}`)).toEqual([
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::333333333333:root']] } },
          Condition: { ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::333333333333:role/${step}` } },
        },
      ]);
      expect(allowed(backend(stage), `template-saas-migrate-${stage}`)).toEqual([INVOKE]);
    },
  );

  test('synth has no warnings or errors', () => {
    const messages = assembly.stacksRecursively.flatMap((stack) => stack.messages).filter(({ level }) => level === 'error');
    expect(messages).toEqual([]);
  });
});
