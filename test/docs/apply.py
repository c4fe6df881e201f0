"""Applies revisions one by one, up, down and up, and prints what became of each.

python apply.py <alembic.ini> <SQL after the first>
"""

import json
import sys
import traceback

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

config = Config(sys.argv[1])
engine = create_engine(config.get_main_option("sqlalchemy.url"))
outcomes = {}
for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions())):
    try:
        command.upgrade(config, script.revision)
        if len(outcomes) == 0:
            with engine.begin() as connection:
                connection.execute(text(sys.argv[2]))
        else:
            command.downgrade(config, "-1")
            command.upgrade(config, script.revision)
        outcomes[script.revision] = "applied"
    except Exception:
        outcomes[script.revision] = traceback.format_exc()
        break
print(json.dumps(outcomes))
