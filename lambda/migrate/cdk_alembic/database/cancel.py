"""Cancels a connection's current statement from another thread, with any of the four drivers."""

from __future__ import annotations

import socket
import struct
from typing import Any

# https://www.postgresql.org/docs/current/protocol-message-formats.html
_CANCEL_REQUEST = 80877102
_TIMEOUT_SECONDS = 3


def cancel(connection: Any) -> None:
    """Asks the server to cancel the connection's current statement, if any. Requires no password, which may have been rotated
    since the connection was opened."""
    if hasattr(connection, "_backend_key_data"):  # pg8000
        _request(connection._usock.getpeername(), connection._backend_key_data)
    elif hasattr(connection, "get_server_pid"):  # asyncpg
        protocol = connection._protocol
        _request(connection._addr, struct.pack("!ii", protocol.backend_pid, protocol.backend_secret))
    else:  # psycopg and psycopg2 can, from any thread
        connection.cancel()


def _request(address: Any, key: bytes) -> None:
    with socket.socket(socket.AF_UNIX) if isinstance(address, str) else socket.create_connection(address[:2]) as connection:
        connection.settimeout(_TIMEOUT_SECONDS)
        if isinstance(address, str):
            connection.connect(address)
        connection.sendall(struct.pack("!ii", 8 + len(key), _CANCEL_REQUEST) + key)
        # The server closes the connection after it has passed on the request.
        connection.recv(1)
