"""Zips a folder as the CDK does (every file dates from 1980) and unpacks the zip as Lambda does.

package.py FOLDER ARCHIVE TARGET
"""

import os
import sys
import time
import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)

folder, archive, target = map(Path, sys.argv[1:])
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        packed.writestr(entry, path.read_bytes())
with zipfile.ZipFile(archive) as packed:
    packed.extractall(target)
date = time.mktime((*EPOCH, 0, 0, -1))
for path in target.rglob("*"):
    if path.is_file():
        os.utime(path, (date, date))
