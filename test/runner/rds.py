"""A fake RDS on a socket: botocore calls it like the real one. It has the snapshots of clusters and instances."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest


@dataclass
class Snapshot:
    name: str
    source: str
    status: str = "available"
    tag: str | None = None
    made: int = 0


@dataclass
class Rds:
    """What it holds, and how it answers."""

    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    status: str = "creating"
    """Of a new snapshot."""
    refuses: dict[str, str] = field(default_factory=dict)
    """Code of the error of an action."""

    def add(self, name: str, source: str, status: str = "available", tag: str | None = None) -> None:
        self.snapshots[name] = Snapshot(name, source, status, tag, len(self.snapshots))

    def answer(self, form: dict[str, str]) -> tuple[int, str]:
        action = form["Action"]
        self.calls.append(action)
        if code := self.refuses.get(action):
            return (
                400,
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>",
            )
        kind = "DBClusterSnapshot" if "DBCluster" in action else "DBSnapshot"
        source, name = (
            form.get(kind.replace("Snapshot", "Identifier").replace("DBId", "DBInstanceId")),
            form.get(f"{kind}Identifier"),
        )
        if action.startswith("Create"):
            assert form["Tags.Tag.1.Key"] == "cdk-alembic"
            self.add(name, source, self.status, form["Tags.Tag.1.Value"])
            body = f"<{kind}>{_xml(kind, self.snapshots[name])}</{kind}>"
        elif action.startswith("Delete"):
            body = f"<{kind}>{_xml(kind, self.snapshots.pop(name))}</{kind}>"
        else:
            assert form["SnapshotType"] == "manual"
            found = [snapshot for snapshot in self.snapshots.values() if snapshot.source == source]
            body = f"<{kind}s>{''.join(f'<{kind}>{_xml(kind, snapshot)}</{kind}>' for snapshot in found)}</{kind}s>"
        return 200, f"<{action}Response><{action}Result>{body}</{action}Result></{action}Response>"


def _xml(kind: str, snapshot: Snapshot) -> str:
    made = (
        "" if snapshot.status == "creating" else f"<SnapshotCreateTime>2026-01-01T00:00:{snapshot.made:02}Z</SnapshotCreateTime>"
    )
    tag = f"<Tag><Key>cdk-alembic</Key><Value>{snapshot.tag}</Value></Tag>" if snapshot.tag else ""
    return (
        f"<{kind}Identifier>{snapshot.name}</{kind}Identifier><Status>{snapshot.status}</Status>"
        f"<PercentProgress>{43 if snapshot.status == 'creating' else 100}</PercentProgress>{made}<TagList>{tag}</TagList>"
    )


@contextmanager
def fake_rds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rds]:
    rds = Rds()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = rds.answer({key: values[0] for key, values in form.items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL_RDS": f"http://127.0.0.1:{server.server_port}",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield rds
    finally:
        server.shutdown()
        server.server_close()
