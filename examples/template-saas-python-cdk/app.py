"""The CDK app: one stack for each stage, such as `cdk deploy -c stage=dev`."""

import sys

import aws_cdk as cdk
from template_saas.settings import SettingsError, read_settings
from template_saas.stack import TemplateSaasStack

# The built-in validation of templates takes several times as long as everything else.
app = cdk.App(builtin_cloud_formation_validation=False)
try:
    settings = read_settings(app.node)
except SettingsError as error:
    sys.exit(str(error))
TemplateSaasStack(app, f"template-saas-{settings.stage}", settings)
app.synth()
