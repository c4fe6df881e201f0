"""Limits an answer to Lambda's 6 MB, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

MAX_LENGTH = 5_000_000
"""Characters of JSON. Leaves room for the answer's other fields."""


def fitting(items: Sequence[Any]) -> tuple[list[Any], int]:
    """The first items that fit into an answer together, and the number of those that do not."""
    lengths = accumulate(len(json.dumps(item)) + 1 for item in items)
    fit = [item for item, length in zip(items, lengths, strict=True) if length <= MAX_LENGTH]
    return fit, len(items) - len(fit)
