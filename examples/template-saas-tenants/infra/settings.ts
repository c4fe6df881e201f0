import { resolve } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { TenantCanary, TenantDeploy } from 'cdk-alembic';
import type { Node } from 'constructs';
import { readSettings, SettingsError, type TemplateSaasSettings } from '../../template-saas/infra/settings';

export interface TenantSettings extends TemplateSaasSettings {
  readonly databaseSecretArn: string;
  readonly canary: TenantCanary;
  readonly onDeploy: TenantDeploy;
}

/** A tenth of the tenants are canaries. */
const CANARY_PERCENT = 10;

const DEPLOYS = { wait: TenantDeploy.wait, handOver: TenantDeploy.handOver, off: TenantDeploy.off };

/**
 * The settings of the sample with one database, and also: `-c pauseSeconds=<seconds>` after the canaries or `-c approval=true`, and
 * `-c onDeploy=wait|handOver|off`.
 */
export function readTenantSettings(node: Node): TenantSettings {
  const settings = readSettings(node);
  const { databaseSecretArn } = settings;
  if (!databaseSecretArn) throw new SettingsError('say where the tenants are: -c databaseSecretArn=<arn>');
  const onDeploy: string = node.tryGetContext('onDeploy') ?? 'wait';
  if (!Object.hasOwn(DEPLOYS, onDeploy)) {
    throw new SettingsError(`there is no onDeploy "${onDeploy}": use ${Object.keys(DEPLOYS).join(', ')}`);
  }
  const pause = Duration.seconds(Number(node.tryGetContext('pauseSeconds') ?? 300));
  const approval = node.tryGetContext('approval') === 'true';
  return {
    ...settings,
    databaseSecretArn,
    backend: resolve(node.tryGetContext('backend') ?? resolve(__dirname, '..', 'back')),
    canary: TenantCanary.share(CANARY_PERCENT, approval ? { approval } : { pause }),
    onDeploy: DEPLOYS[onDeploy as keyof typeof DEPLOYS](),
  };
}
