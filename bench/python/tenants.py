"""Imports a function's handler from its unpacked package and brings tenants to head, as a state machine does.

tenants.py ROOT HANDLER TENANTS BATCH     TENANTS: a file with the tenants of the requests as JSON; BATCH: how many a call gets

Prints how many calls it took, how many tenants are at head and how many revisions were applied, and which tenants are not there.
"""

import importlib
import json
import sys
from pathlib import Path


class Context:
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self):
        return 840_000


root, name, tenants, batch = sys.argv[1:]
# Not this file's folder: the function's.
sys.path[0] = root
module, function = name.rsplit(".", 1)
handler = getattr(importlib.import_module(module), function)
left = json.loads(Path(tenants).read_text(encoding="utf-8"))
counts = {"calls": 0, "complete": 0, "applied": 0}
elsewhere = []
while left and not elsewhere:
    asked, left = left[: int(batch)], left[int(batch) :]
    answer = handler({"tenants": asked}, Context())
    left = answer["left"] + left
    counts["calls"] += 1
    for outcome in answer["outcomes"]:
        counts["complete"] += outcome["status"] == "complete"
        counts["applied"] += len(outcome["applied"])
        if outcome["status"] not in ("complete", "partial"):
            elsewhere.append(outcome)
print(json.dumps({**counts, "elsewhere": elsewhere[:1]}), flush=True)
