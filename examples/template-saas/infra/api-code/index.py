"""A placeholder for the application: deployed after the migrations, with the revision that it was deployed with."""

import json
import os


def handler(event, context):
    body = {"stage": os.environ["STAGE"], "schemaRevision": os.environ["SCHEMA_REVISION"]}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
