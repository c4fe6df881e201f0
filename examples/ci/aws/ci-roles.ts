import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { AlembicMigration } from 'cdk-alembic';
import type { Construct } from 'constructs';

/** The role of a job that migrates one stage, and can do nothing else. */
export function migrateRole(scope: Construct, stage: string, migration: AlembicMigration, ci: iam.IPrincipal): iam.Role {
  const role = new iam.Role(scope, 'MigrateRole', { roleName: `template-saas-migrate-${stage}`, assumedBy: ci });
  migration.grantInvoke(role);
  return role;
}

/** The role of a job that deploys one stage: it may assume the roles of `cdk bootstrap`, and call the function. */
export function deployRole(scope: Construct, stage: string, migration: AlembicMigration, ci: iam.IPrincipal): iam.Role {
  const role = new iam.Role(scope, 'DeployRole', { roleName: `template-saas-deploy-${stage}`, assumedBy: ci });
  const { account, region, partition } = Stack.of(scope);
  const ofBootstrap = ['deploy', 'file-publishing', 'image-publishing', 'lookup'].map(
    (kind) => `arn:${partition}:iam::${account}:role/cdk-hnb659fds-${kind}-role-${account}-${region}`,
  );
  role.addToPolicy(new iam.PolicyStatement({ actions: ['sts:AssumeRole'], resources: ofBootstrap }));
  // For `plan` and `check`. AWS can't distinguish commands: a role that may check may also migrate.
  migration.grantInvoke(role);
  return role;
}

/**
 * Jobs of GitHub Actions.
 *
 * @param subject `repo:OWNER/REPO:environment:prod` for jobs of an environment, `repo:OWNER/REPO:ref:refs/heads/main` for others
 */
export function githubJobs(provider: iam.IOIDCProviderRef, subject: string): iam.IPrincipal {
  return new iam.WebIdentityPrincipal(provider.oidcProviderRef.oidcProviderArn, {
    StringEquals: {
      'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
      'token.actions.githubusercontent.com:sub': subject,
    },
  });
}

/** Jobs of GitLab CI/CD on one branch. GitLab's subject does not name the environment: protect the branch. */
export function gitlabJobs(provider: iam.IOIDCProviderRef, project: string, branch: string): iam.IPrincipal {
  return new iam.WebIdentityPrincipal(provider.oidcProviderRef.oidcProviderArn, {
    StringEquals: {
      'gitlab.com:aud': 'https://gitlab.com',
      'gitlab.com:sub': `project_path:${project}:ref_type:branch:ref:${branch}`,
    },
  });
}
