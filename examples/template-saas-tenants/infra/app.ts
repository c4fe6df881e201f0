import { App } from 'aws-cdk-lib';
import { SettingsError } from '../../template-saas/infra/settings';
import { readTenantSettings } from './settings';
import { TenantsStack } from './tenants-stack';

// The built-in template validation takes ten times as long as everything else: 5 s of synth.
const app = new App({ builtinCloudFormationValidation: false });
try {
  const settings = readTenantSettings(app.node);
  new TenantsStack(app, `template-saas-tenants-${settings.stage}`, settings);
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(1);
}
