"""AWS clients. botocore is part of Lambda's runtime and is imported only when needed."""

from __future__ import annotations

from typing import Any

ATTEMPTS = 2


def client(service: str, timeout_seconds: float) -> Any:
    """A client that gives up after ATTEMPTS tries of `timeout_seconds` each."""
    import botocore.session
    from botocore.config import Config

    config = Config(connect_timeout=timeout_seconds, read_timeout=timeout_seconds, retries={"total_max_attempts": ATTEMPTS})
    return botocore.session.get_session().create_client(service, config=config)
