"""What an operator sees: metrics, the event, and no secret in anything."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import socket
import sys
import time
from typing import Any

import pytest
from cdk_alembic.protocol import log
from conftest import Backend, Database, failure, invoke, set_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from network import aws, use_aws_at

BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/ops"


def lines(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"level"')]
    return [line for line in found if line["event"] == event]


class TestMetrics:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""

    def test_a_run_writes_a_line_that_cloudwatch_turns_into_metrics(
        self, backend: Backend, capsys: pytest.CaptureFixture[str]
    ) -> None:
        backend.table_revision("aa")
        backend.revision("bb", "aa", 'op.execute("SELECT pg_sleep(0.2)")')
        invoke()
        [line] = lines(capsys, "metrics")
        assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("cdk-alembic", [["stage"]])
        assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
            "Applied": "Count",
            "Failed": "Count",
            "Duration": "Milliseconds",
            "LockWait": "Milliseconds",
        }
        assert all(isinstance(line[metric["Name"]], int) for metric in directive["Metrics"])
        assert (line["stage"], line["Applied"], line["Failed"]) == ("test", 2, 0)
        assert line["Duration"] >= 200 and line["LockWait"] < line["Duration"]

    def test_a_failure_is_counted_with_what_was_applied_before(
        self, backend: Backend, capsys: pytest.CaptureFixture[str]
    ) -> None:
        backend.table_revision("aa")
        backend.revision("bb", "aa", 'op.execute("SELECT 1/0")')
        failure()
        [line] = lines(capsys, "metrics")
        assert (line["Applied"], line["Failed"]) == (1, 1)

    def test_reading_and_a_refused_request_are_not_counted(self, backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
        invoke({"command": "plan"})
        failure({"command": "drop"})
        assert lines(capsys, "metrics") == []


class TestEvent:
    def test_an_event_is_sent_when_a_run_has_ended_and_not_before(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_settings(monkeypatch, eventBus=BUS)
        backend.table_revision("aa")
        backend.table_revision("bb", "aa")
        sent: list[tuple[str, dict[str, Any]]] = []

        def answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
            sent.append((operation, request["Entries"][0]))
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

        with aws(monkeypatch, answer):
            assert invoke({"sliceSeconds": 0})["status"] == "partial"
            assert sent == []
            run = invoke()
            invoke()  # nothing to do
            invoke({"command": "plan"})
            backend.revision("cc", "bb", 'raise ValueError("postgresql://app:hunter2@db/x")')
            failure()
        [(operation, ended), (_, failed)] = sent
        assert operation == "PutEvents"
        assert (ended["EventBusName"], ended["Source"], ended["DetailType"]) == (BUS, "cdk-alembic", "Migration Run Ended")
        assert json.loads(ended["Detail"]) == {
            "stage": "test",
            "outcome": "complete",
            "from": ["aa"],
            "to": ["bb"],
            "applied": run["applied"],
            "runId": run["runId"],
        }
        detail = json.loads(failed["Detail"])
        assert (detail["outcome"], detail["error"]["revision"], detail["applied"]) == ("migration_failed", "cc", [])
        assert "hunter2" not in failed["Detail"]

    def test_an_unreachable_event_bus_delays_the_run_by_seconds_and_does_not_fail_it(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        set_settings(monkeypatch, eventBus=BUS)
        backend.table_revision("aa")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            use_aws_at(monkeypatch, silent.getsockname()[1])
            started = time.monotonic()
            assert invoke()["to"] == ["aa"]
            lasted = time.monotonic() - started
        print(f"a silent bus cost {lasted:.1f} s")
        assert lasted < 50  # botocore alone waits for minutes
        assert len(lines(capsys, "event_not_sent")) == 1

    def test_an_event_bus_that_rejects_the_event_is_a_warning(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        set_settings(monkeypatch, eventBus=BUS)
        backend.table_revision("aa")
        refusal = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "NotAuthorized", "ErrorMessage": "not for you"}]}
        with aws(monkeypatch, lambda *_: refusal):
            assert invoke()["to"] == ["aa"]
        [line] = lines(capsys, "event_not_sent")
        assert line["reason"] == "not for you"

    def test_an_image_without_botocore_migrates_and_fails_as_it_would_without_a_bus(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        set_settings(monkeypatch, eventBus=BUS)
        for module in ("botocore", "botocore.exceptions", "botocore.session", "botocore.config"):
            monkeypatch.setitem(sys.modules, module, None)
        backend.table_revision("aa")
        assert invoke()["to"] == ["aa"]
        backend.revision("bb", "aa", 'op.execute("SELECT 1/0")')
        assert failure()["error"]["code"] == "migration_failed"
        assert len(lines(capsys, "event_not_sent")) == 2


class TestSecrets:
    DSN = "postgresql+psycopg://app:hun/t:er2%40@db.internal:5432/saas"

    @pytest.mark.parametrize(
        "leak",
        [
            "print(DSN)",
            'print("to", end=" "); print(DSN[:30], end=""); print(DSN[30:])',
            "import sys\nsys.stderr.write(DSN)",
            "import logging\nlogging.getLogger('alembic').error('connecting to %s', DSN)",
            "import logging\nlogging.getLogger('alembic.runtime').warning(DSN)",
            "import logging\ntry:\n    raise ValueError(DSN)\nexcept ValueError:\n    logging.exception('oops')",
            "raise ValueError(DSN)",
            "print('host=db.internal password=\"hun/t er2%40\"')",
            "print({'host': 'db.internal', 'password': 'hun/t er2%40'})",
            "import json\nprint(json.dumps(json.dumps({'host': 'db.internal', 'password': 'hun/t er2%40'})))",
            'print("host=db.internal password=\'hun/t er2%40")',
            "try:\n    raise KeyError(DSN)\nexcept KeyError as error:\n    raise ValueError('wrapped') from error",
            "op.execute(f\"SELECT '{DSN}' FROM missing\")",
            "op.execute(f\"COMMENT ON TABLE missing IS 'host=db password=hun/t:er2%40'\")",
        ],
    )
    @pytest.mark.parametrize("configures_logging", [True, False])
    def test_a_dsn_that_a_revision_prints_logs_or_raises_is_redacted_everywhere(
        self, backend: Backend, capfd: pytest.CaptureFixture[str], leak: str, configures_logging: bool
    ) -> None:
        if not configures_logging:
            env = (backend.directory / "alembic" / "env.py").read_text()
            backend.write_env(env.replace("fileConfig(config.config_file_name)", "pass"))
        backend.revision("aa", None, f'DSN = "{self.DSN}"\n{leak}')
        fails = "raise ValueError(DSN)" in leak.split("try")[0] or "wrapped" in leak or "missing" in leak
        # Lambda's handler of logging is there before ours, and writes neither to sys.stdout nor to sys.stderr.
        written: list[str] = []

        class LambdaHandler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                written.append(self.format(record))

        root, lambda_handler = logging.getLogger(), LambdaHandler()
        root.addHandler(lambda_handler)
        try:
            answer = json.dumps(failure() if fails else invoke())
        finally:
            root.removeHandler(lambda_handler)
        captured = capfd.readouterr()
        everything = answer + captured.out + captured.err + "".join(written)
        assert "er2%40" not in everything
        if "print" in leak or "logging" in leak:
            assert "db.internal" in everything  # blotted out, not swallowed

    def test_the_fetched_password_is_redacted_in_any_form(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        password = 'p%w@r/d: "x'
        variables = {"password": "TEST_PASSWORD", "url": "TEST_URL"}
        set_settings(monkeypatch, database={"source": "secret", "secretArn": "arn:db", "variables": variables})
        backend.revision(
            "aa",
            None,
            'import os\nprint("it is", os.environ["TEST_PASSWORD"])\nraise ValueError(str(dict(os.environ)["TEST_URL"]))',
        )
        secret = {"host": database.host, "port": database.port, "username": "u", "password": password, "dbname": "d"}
        with aws(monkeypatch, lambda *_: {"SecretString": json.dumps(secret)}):
            answer = failure()
        captured = capfd.readouterr()
        assert "it is ***" in captured.out
        for form in (password, "p%25w%40r%2Fd", "p%w@r"):
            assert form not in captured.out + captured.err + json.dumps(answer)

    def test_a_warning_of_the_answer_is_redacted(self, backend: Backend, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("CREATE TABLE other (code int); INSERT INTO other VALUES (1), (1)")
            index = "postgresql://app:hunter2@db/x"
            with pytest.raises(Exception, match="could not create"):
                connection.execute(f'CREATE UNIQUE INDEX CONCURRENTLY "{index}" ON other (code)')
        backend.table_revision("aa")
        [warning] = invoke()["warnings"]
        assert "app:***@db" in warning and "hunter2" not in warning

    @settings(max_examples=300, deadline=None)
    @given(facts=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text() | st.lists(st.text())), text=st.text())
    def test_a_log_line_is_one_line_of_json_for_any_text(self, facts: dict[str, Any], text: str) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), log.redacted_output():
            log.log("INFO", "test", **facts, d=f"password='{text}", e=f"it's pwd={text}")
        [line] = out.getvalue().splitlines() if out.getvalue()[-1] == "\n" else []
        assert set(json.loads(line)) == {"level", "event", "d", "e", *facts}


def test_loggers_that_an_environment_disables_do_not_silence_the_runner(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    env = (backend.directory / "alembic" / "env.py").read_text()
    backend.write_env(env + "\nimport logging\nlogging.disable(logging.CRITICAL)\nlogging.root.handlers.clear()\n")
    backend.table_revision("aa")
    try:
        invoke()
        backend.revision("bb", "aa", 'op.execute("SELECT 1/0")')
        failure()
    finally:
        logging.disable(logging.NOTSET)
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events == ["revision_applied", "run_ended", "metrics", "run_failed", "metrics"]
