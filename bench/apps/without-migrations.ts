/* The sample's stack for a database that exists already, without the migrations. */
import { App, Stack } from 'aws-cdk-lib';
import { Api } from '../../examples/template-saas/infra/api';
import { readSettings } from '../../examples/template-saas/infra/settings';

const app = new App({ builtinCloudFormationValidation: false });
const settings = readSettings(app.node);
new Api(new Stack(app, 'without-migrations'), 'Api', { ...settings, schemaRevision: '' });
