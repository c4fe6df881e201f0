"""What stands between the runner and others: a TCP proxy before PostgreSQL, and a server that speaks AWS's JSON protocol."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@contextlib.contextmanager
def closed_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    """A port that refuses connections and that nobody else can take."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        bound.bind((host, port))
        yield bound


def port_of(bound: socket.socket) -> int:
    return bound.getsockname()[1]


# SSLRequest and GSSENCRequest, https://www.postgresql.org/docs/current/protocol-message-formats.html
_ENCRYPTION_REQUESTS = (struct.pack("!ii", 8, 80877103), struct.pack("!ii", 8, 80877104))


@contextlib.contextmanager
def _forwarding(
    listener: socket.socket, moment: bytes | None, stop: Callable[..., None] = lambda *_: None
) -> Iterator[threading.Event]:
    """A proxy before the test's PostgreSQL that stops when a client sends a text.

    Args:
        moment: The text. The proxy refuses encryption then, which would hide it. None: the proxy never stops.
        stop: Takes the sockets of a connection that was open at that moment, or the one socket of a later connection.

    Yields: Whether it has stopped.
    """
    stopped = threading.Event()
    listener.listen()

    def forward(client: socket.socket) -> None:
        server = socket.create_connection((os.environ["PGHOST"], int(os.environ["PGPORT"])))
        if forward_until_stopped(client, server):
            return stop(client, server)
        client.close()
        server.close()

    def forward_until_stopped(client: socket.socket, server: socket.socket) -> bool:
        """False: one of the two ended the connection."""
        other = {client: server, server: client}
        with contextlib.suppress(OSError):
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(65536)
                    if end is client and moment is not None:
                        if data in _ENCRYPTION_REQUESTS:
                            client.sendall(b"N")
                            continue
                        if moment in data:
                            stopped.set()
                    if stopped.is_set():
                        return True
                    if not data:
                        return False
                    other[end].sendall(data)
        return False

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                if stopped.is_set():
                    stop(client)
                else:
                    threading.Thread(target=forward, args=[client], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield stopped
    listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxy(listener: socket.socket) -> Iterator[None]:
    """A proxy that opens a closed port: what comes in goes to the test's PostgreSQL."""
    with _forwarding(listener, None):
        yield


@contextlib.contextmanager
def freezing(listener: socket.socket, moment: bytes) -> Iterator[threading.Event]:
    """A proxy that freezes when a client sends a text: nothing comes through in either direction, and no connection ends."""
    kept: list[socket.socket] = []
    with _forwarding(listener, moment, lambda *connections: kept.extend(connections)) as frozen:
        yield frozen
    for connection in kept:
        connection.close()


@contextlib.contextmanager
def resetting(listener: socket.socket, moment: bytes) -> Iterator[threading.Event]:
    """A proxy that resets its connections when a client sends a text, and each later one."""

    def reset(*connections: socket.socket) -> None:
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    with _forwarding(listener, moment, reset) as cut:
        yield cut


@contextlib.contextmanager
def aws(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
    """A server for botocore. `answer(operation, request)` gives the response."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answer(self.headers["X-Amz-Target"].split(".")[-1], request)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_aws_at(monkeypatch, server.server_port)
    yield
    server.shutdown()
    server.server_close()


def use_aws_at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
