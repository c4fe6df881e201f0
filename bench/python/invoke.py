"""Imports a function's handler from its unpacked package and calls it, as Lambda's runtime does in a fresh process.

invoke.py ROOT HANDLER           calls it once and prints the answer
invoke.py ROOT HANDLER CALLS     calls it once, then so many times more, and prints these calls' milliseconds
"""

import importlib
import json
import sys


class Context:
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self):
        return 840_000


root, name, *calls = sys.argv[1:]
# Not this file's folder: the function's.
sys.path[0] = root
module, function = name.rsplit(".", 1)
handler = getattr(importlib.import_module(module), function)
answer = handler({}, Context())
if calls:
    import time

    times = []
    for _ in range(int(calls[0])):
        start = time.perf_counter()
        handler({}, Context())
        times.append((time.perf_counter() - start) * 1000)
    answer = times
print(json.dumps(answer), flush=True)
