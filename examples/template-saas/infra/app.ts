import { App } from 'aws-cdk-lib';
import { readSettings, SettingsError } from './settings';
import { TemplateSaasStack } from './template-saas-stack';

// The built-in validation of templates takes ten times as long as everything else: 5 s of synth.
const app = new App({ builtinCloudFormationValidation: false });
try {
  const settings = readSettings(app.node);
  new TemplateSaasStack(app, `template-saas-${settings.stage}`, settings);
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(1);
}
