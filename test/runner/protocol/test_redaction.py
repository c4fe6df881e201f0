"""Redaction takes time in proportion to a text, whatever is in it, and hides what it hid when it tried every place."""

from __future__ import annotations

import io
import random
import re

import pytest
from cdk_alembic.protocol import log

# How a URL's password is hidden, by one pattern that tries every end for every start.
SLOWLY = re.compile(r"(://[^:/?#\s\"']*:)[^\s\"']*(?=@)")
PIECES = [
    "://",
    ":",
    "@",
    "/",
    "user",
    "pässword",
    " ",
    '"',
    "'",
    "\n",
    "?",
    "#",
    "postgresql",
    "password=",
    "\\",
    "=",
    "token: ",
    "x" * 50,
]


def test_redaction_hides_the_same_as_a_slow_pattern_that_tries_every_position() -> None:
    chosen = random.Random(14)
    for _ in range(20_000):
        text = "".join(chosen.choices(PIECES, k=chosen.randrange(1, 25)))
        assert log.redact(text) == log._PASSWORD_IN_DSN.sub(r"\1***", SLOWLY.sub(r"\1***", text)), repr(text)


@pytest.mark.parametrize(
    "piece", [*PIECES, "://:", "://a:", "://a:b", "@://", "password", "password= ", "password='", 'pwd:\\"', " ="]
)
def test_half_a_megabyte_of_anything_is_redacted_in_time(piece: str) -> None:
    # Quadratic work would be 10^11 steps: hours, on any machine.
    text = piece * (500_000 // len(piece))
    assert len(log.redact(text)) > 0


@pytest.mark.parametrize("size", [1, 7, 5_000])
def test_a_line_without_an_end_is_passed_on_with_its_secrets_hidden(size: int) -> None:
    stream = io.StringIO()
    secret = "hunter2-hunter2"
    text = f"{'x' * 997}{secret}" * 700
    with log.redacted_output():
        log.hide(secret)
        with log._Redacting(stream) as out:
            for start in range(0, len(text), size):
                out.write(text[start : start + size])
    written = stream.getvalue()
    assert secret not in written and "hunter2" not in written
    assert written.count("***") == 700
    assert max(map(len, written.split("\n"))) <= log.MAX_LINE + size
    assert written.replace("\n", "").replace("***", secret) == text


def test_an_output_that_is_collected_after_its_stream_was_closed_writes_nothing_more() -> None:
    stream = io.StringIO()
    with log._Redacting(stream) as out:
        out.write("half a line")
    assert stream.getvalue() == "half a line"
    stream.close()
    out.close()


def test_a_column_named_password_is_shown_and_a_secret_in_it_is_hidden() -> None:
    text = "give --rename aa.password=aa.hashed_password; connected to postgresql://shop:hunter2@db/shop"
    assert log.without_secrets(text) == text.replace("hunter2", "***")
    assert log.redact(text) == text.replace("hunter2", "***").replace("aa.hashed_password", "***")


def test_the_arn_of_a_secret_is_shown_and_what_follows_the_keyword_elsewhere_is_hidden() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-database-AbCdEf"
    assert log.redact(f"the secret {arn} could not be read") == f"the secret {arn} could not be read"
    assert log.redact("host=db:5432 secret: hunter2 {'secret': 'hunter2'}") == "host=db:5432 secret: *** {'secret': ***}"
