"""What of an error reaches an answer and a log."""

from __future__ import annotations

from cdk_alembic.database.failures import describe
from cdk_alembic.protocol.log import redact

# As pydantic 2 writes it.
PYDANTIC = """2 validation errors for Settings
api_token
  Value error, it has 44 characters [type=value_error, input_value='hunter[2]', input_type=str]
    For further information visit https://errors.pydantic.dev/2.13/v/value_error
bootstrapServers
  Field required [type=missing, input_value={'token': 'secret'}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.13/v/missing"""

OF_THE_MODEL = """1 validation error for Settings
  Value error, Invalid settings:
  - SHOP_KEY is short
  - SHOP_URL is missing [type=value_error, input_value={'token': 'secret'}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.13/v/value_error"""


class ValidationError(ValueError):
    """Stands for pydantic's, which is not among the runner's dependencies."""


def test_lists_invalid_settings_of_pydantic_without_their_values() -> None:
    assert describe(ValidationError(PYDANTIC)) == (
        "ValidationError: 2 validation errors for Settings: api_token (Value error, it has 44 characters), "
        "bootstrapServers (Field required)"
    )
    assert redact(describe(ValidationError(PYDANTIC))) == describe(ValidationError(PYDANTIC))
    assert describe(ValidationError(OF_THE_MODEL)) == (
        "ValidationError: 1 validation error for Settings: "
        "Value error, Invalid settings: - SHOP_KEY is short - SHOP_URL is missing"
    )
    assert describe(ValidationError("not a text of pydantic")) == "ValidationError: not a text of pydantic"


def test_keeps_the_text_of_other_errors() -> None:
    assert describe(ValueError(PYDANTIC)).startswith("ValueError: 2 validation errors for Settings")
    assert "hunter" in describe(ValueError(PYDANTIC))


def test_writes_the_name_of_an_error_once() -> None:
    assert describe(ValueError("ValueError: no such stage")) == "ValueError: no such stage"
