"""Runs Alembic's command line as often as it is asked to, each time in a copy of a process that has imported Alembic.

Reads a JSON object with `folder`, `url` and `arguments` from each line, and answers with one that has `code` and `output`.
"""

import json
import os
import sys
import tempfile
import traceback

import alembic.autogenerate
import alembic.config
import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401


def run(folder: str, url: str, arguments: list[str]) -> None:
    """Ends this process with the exit code of `alembic` with these arguments."""
    code = 0
    try:
        os.chdir(folder)
        os.environ["DATABASE_URL"] = url
        alembic.config.main(argv=arguments, prog="alembic")
    except SystemExit as end:
        code = 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


for line in sys.stdin:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            for descriptor in (1, 2):
                os.dup2(output.fileno(), descriptor)
            run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        output.seek(0)
        text = output.read().decode(errors="replace")
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "output": text}), flush=True)
