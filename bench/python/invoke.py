"""Imports a function's handler from its unpacked package and calls it once, as Lambda's runtime does in a fresh process.

invoke.py ROOT HANDLER     prints the answer
"""

import importlib
import json
import sys


class Context:
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self):
        return 840_000


root, name = sys.argv[1:]
# Not this file's folder: the function's.
sys.path[0] = root
module, function = name.rsplit(".", 1)
handler = getattr(importlib.import_module(module), function)
print(json.dumps(handler({}, Context())), flush=True)
