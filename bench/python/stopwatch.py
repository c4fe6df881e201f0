"""Runs a command and writes down when it started, how long it lived, how it ended and its peak memory.

    stopwatch.py REPORT COMMAND [ARGUMENT ...]

A small separate process: the kernel counts the memory of a command's parent as the command's, and Node uses more than it.
"""

import json
import os
import sys
import time
from pathlib import Path

UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes

report, *command = sys.argv[1:]
started_at = time.time()
start = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(pid, 0)
facts = {
    "startedAt": started_at * 1000,
    "ms": (time.perf_counter() - start) * 1000,
    "code": os.waitstatus_to_exitcode(status),
    "peakBytes": usage.ru_maxrss * UNIT,
}
Path(report).write_text(json.dumps(facts), encoding="utf-8")
