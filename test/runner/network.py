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


@contextlib.contextmanager
def proxy(listener: socket.socket) -> Iterator[None]:
    """Opens a closed port: what comes in goes to the test's PostgreSQL."""
    listener.listen()

    def forward(client: socket.socket) -> None:
        with client, socket.create_connection((os.environ["PGHOST"], int(os.environ["PGPORT"]))) as server:
            other = {client: server, server: client}
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    other[end].sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=forward, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield
    listener.shutdown(socket.SHUT_RDWR)


# SSLRequest and GSSENCRequest, https://www.postgresql.org/docs/current/protocol-message-formats.html
_ENCRYPTION_REQUESTS = (struct.pack("!ii", 8, 80877103), struct.pack("!ii", 8, 80877104))


def _in_clear(client: socket.socket, data: bytes) -> bool:
    """Refuses encryption, which would hide the text: the tests of TLS turn it on for the whole server."""
    if data in _ENCRYPTION_REQUESTS:
        client.sendall(b"N")
        return True
    return False


@contextlib.contextmanager
def freezing(listener: socket.socket, moment: bytes) -> Iterator[threading.Event]:
    """The same, until a client sends a text: from then on nothing comes through, in neither direction, and no connection ends."""
    frozen = threading.Event()
    kept: list[socket.socket] = []
    listener.listen()

    def forward(client: socket.socket) -> None:
        server = socket.create_connection((os.environ["PGHOST"], int(os.environ["PGPORT"])))
        kept.extend((client, server))
        other = {client: server, server: client}
        while True:
            for end in select.select([client, server], [], [])[0]:
                data = end.recv(65536)
                if not data and not frozen.is_set():
                    client.close()
                    server.close()
                    return
                if end is client and _in_clear(client, data):
                    continue
                if end is client and moment in data:
                    frozen.set()
                if frozen.is_set():
                    return
                other[end].sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                if frozen.is_set():
                    kept.append(client)
                else:
                    threading.Thread(target=forward, args=[client], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield frozen
    listener.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


@contextlib.contextmanager
def resetting(listener: socket.socket, moment: bytes) -> Iterator[threading.Event]:
    """The same, until a client sends a text: its connection is reset then, and each one after it."""
    cut = threading.Event()
    listener.listen()

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def forward(client: socket.socket) -> None:
        with socket.create_connection((os.environ["PGHOST"], int(os.environ["PGPORT"]))) as server:
            other = {client: server, server: client}
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(65536)
                    if end is client and _in_clear(client, data):
                        continue
                    if end is client and moment in data:
                        cut.set()
                    if not data or cut.is_set():
                        return reset(client)
                    other[end].sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                if cut.is_set():
                    reset(client)
                else:
                    threading.Thread(target=forward, args=[client], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield cut
    listener.shutdown(socket.SHUT_RDWR)


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
