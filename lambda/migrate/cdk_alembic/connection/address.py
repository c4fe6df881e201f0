"""Sets the environment variables for the database's address, and those for other secrets.
Fetches the password and the secrets at run time."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ..protocol.aws import ATTEMPTS, client
from ..protocol.errors import EnvFailed, RunnerError
from ..protocol.log import hide, log

DEFAULT_PORT = 5432
DEFAULT_SCHEME = "postgresql"

# An unreachable Secrets Manager (an isolated subnet without an interface endpoint) must not use up the function's time.
FETCH_TIMEOUT_SECONDS = 3

RDS_BUNDLE = Path(__file__).parents[1] / "rds-ca.pem"
"""https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"""
_RDS_HOST = re.compile(r"\.rds\.amazonaws\.com(\.cn)?\.?$", re.IGNORECASE)

# Where a backend often connects if its variables are not set.
_THIS_MACHINE = re.compile(r"localhost|\b127\.0\.0\.1\b|::1|\.s\.PGSQL\.")


class DatabaseVariables:
    """The environment variables for the backend's database address."""

    def __init__(self, environ: MutableMapping[str, str], database: dict[str, Any], driver: str | None = None) -> None:
        """`database`: the settings of the function's database. `driver`: the driver for a URL if they do not name one."""
        self._environ = environ
        self.database = database
        self._scheme = f"{DEFAULT_SCHEME}+{driver}" if driver else DEFAULT_SCHEME
        self._tls: set[str] = set()
        self._names: list[str] = []
        self.address: dict[str, str] | None = None
        """The address that was set last; None: the environment is complete without it."""

    def fill(self) -> bool:
        """Fetches the function's database, and sets the variables that the settings name. Returns whether a value changed. Raises
        RunnerError `secret_unavailable`."""
        return self.database["source"] != "environment" and self.set(fetch(self.database), self.database)

    def set(self, address: dict[str, str], database: dict[str, Any]) -> bool:
        """Sets the variables that the settings name to a fetched address. Returns whether a value changed."""
        changed = False
        values = _variables({"urlScheme": self._scheme, **database["variables"]}, address)
        self._names, self.address = list(values), address
        for name, value in values.items():
            changed = changed or self._environ.get(name) != value
            self._environ[name] = value
        hide(address["password"])
        self.require_tls(address["host"])
        return changed

    def explain(self, error: RunnerError) -> None:
        """If an error suggests that the backend reads other variables, names those that were set in its next step."""
        host = self.address["host"] if self.address else ""
        is_elsewhere = (
            error.code == "database_unreachable" and not _THIS_MACHINE.search(host) and _THIS_MACHINE.search(error.message)
        )
        if self._names and (is_elsewhere or (isinstance(error, EnvFailed) and _may_be_a_variable(error.__cause__))):
            error.next += (
                f"; the function sets {', '.join(self._names)}: if env.py reads others, name them with DatabaseVariables"
            )

    def close(self) -> None:
        """Removes the variables that `require_tls` set: the next database may be a different one."""
        for name in self._tls:
            self._environ.pop(name, None)
        self._tls.clear()

    def require_tls(self, host: str) -> None:
        """Makes libpq and asyncpg, which read these variables, verify RDS certificates. Keeps values that the user set."""
        environ = self._environ
        if not _RDS_HOST.search(host) or "PGSSLMODE" in environ:
            return
        # RDS Proxy has a certificate from a public authority.
        bundle = ssl.get_default_verify_paths().cafile if ".proxy-" in host else str(RDS_BUNDLE)
        values = {"PGSSLMODE": "verify-full"}
        if "PGSSLROOTCERT" not in environ:
            if bundle is not None and Path(bundle).is_file():
                values["PGSSLROOTCERT"] = bundle
            else:
                log("WARNING", "tls_not_verified", host=host, reason=f"{RDS_BUNDLE.name} is missing beside the runner")
                values["PGSSLMODE"] = "require"
        environ.update(values)
        self._tls.update(values)


def fill_secrets(environ: MutableMapping[str, str], secrets: Iterable[dict[str, str]]) -> bool:
    """Fetches secrets, and sets the variables that the contract's SecretVariables name. Returns whether a value changed. Raises
    RunnerError `secret_unavailable`."""
    texts: dict[str, str] = {}
    changed = False
    for secret in secrets:
        arn = secret["secretArn"]
        texts[arn] = texts.get(arn) or _fetch(arn)
        value = _field(secret["field"], texts[arn], arn) if "field" in secret else texts[arn]
        for text in (value, *_texts_in_json(value)):
            # The output is redacted line by line.
            for line in text.splitlines():
                hide(line)
        changed = changed or environ.get(secret["name"]) != value
        environ[secret["name"]] = value
    return changed


_NOT_SECRET = ("engine", "host", "dbname", "username", "dbInstanceIdentifier", "dbClusterIdentifier")
"""Names in a database's secret. With `postgres` hidden, no message could be read.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html"""


def _texts_in_json(text: str) -> list[str]:
    """The texts in a JSON document that may be secret, without names; none in any other text."""
    try:
        open_values = [json.loads(text)]
    except ValueError:
        return []
    found = []
    while open_values:
        value = open_values.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            open_values += (part for name, part in value.items() if name not in _NOT_SECRET)
        elif isinstance(value, list):
            open_values += value
    return found


def _field(name: str, text: str, arn: str) -> str:
    try:
        value = json.loads(text).get(name)
    except (ValueError, AttributeError):
        value = None
    if value is None:
        # Not the cause: its text may contain a part of the secret.
        raise RunnerError(
            "secret_unavailable",
            f"the secret {arn} has no field {name}",
            "store the secret as JSON with this field, or correct the `secrets` of the construct or of the settings",
        ) from None
    return value if isinstance(value, str) else json.dumps(value)


def fetch(database: dict[str, Any]) -> dict[str, str]:
    """The address and password, from a secret or with an IAM token. Raises `secret_unavailable`."""
    return _from_secret(database) if database["source"] == "secret" else _from_token(database)


def of_tenant(database: dict[str, Any], secret_arn: str) -> dict[str, Any]:
    """The settings of a tenant's own database. Host and port may come from the stage; the secret must have the database's name.
    Raises RunnerError `invalid_settings`."""
    if database["source"] == "environment":
        raise RunnerError(
            "invalid_settings",
            "the tenant has its own secret, but the function does not know which environment variables to fill",
            "name them with `variables` of the construct's database",
        )
    server = {part: database[part] for part in ("host", "port") if part in database}
    return {"source": "secret", "secretArn": secret_arn, "variables": database["variables"], "otherwise": server}


def _may_be_a_variable(cause: BaseException | None) -> bool:
    """Whether a variable may avoid an error of env.py: not one in the code, or of a statement that the database rejects."""
    if isinstance(cause, (SyntaxError, ImportError)):
        return False
    from sqlalchemy.exc import DBAPIError

    return not isinstance(cause, DBAPIError)


def _variables(names: dict[str, str], address: dict[str, str]) -> dict[str, str]:
    values = {names[part]: address[part] for part in ("host", "port", "user", "password", "database") if part in names}
    if "url" in names:
        user, password, database = (quote(address[part], safe="") for part in ("user", "password", "database"))
        host = f"[{address['host']}]" if ":" in address["host"] else address["host"]
        values[names["url"]] = f"{names['urlScheme']}://{user}:{password}@{host}:{address['port']}/{database}"
    return values


def _from_secret(settings: dict[str, Any]) -> dict[str, str]:
    arn = settings["secretArn"]
    try:
        secret = _parse_secret(_fetch(arn))
    except ValueError:
        # The error's text may contain a part of the password.
        raise RunnerError(
            "secret_unavailable",
            f"the secret {arn} holds neither a JSON object nor a URL",
            "store the database's address as JSON or as a URL",
        ) from None
    otherwise = settings.get("otherwise", {})
    address = {
        "host": settings.get("host") or secret.get("host") or otherwise.get("host"),
        "port": settings.get("port") or secret.get("port") or otherwise.get("port") or DEFAULT_PORT,
        "user": secret.get("username") or secret.get("user"),
        "password": secret.get("password"),
        "database": settings.get("database") or secret.get("dbname") or secret.get("database"),
    }
    missing = [part for part, value in address.items() if not value]
    if missing:
        raise RunnerError(
            "secret_unavailable",
            f"the secret {arn} has no {', '.join(missing)}",
            "add the missing parts to the secret, or set them in the construct's MigrationDatabase or in the settings",
        )
    if not re.fullmatch(r"[0-9]{1,5}", str(address["port"])):
        raise RunnerError(
            "secret_unavailable", f"the port in the secret {arn} is not a number", f"store a number, such as {DEFAULT_PORT}"
        )
    return {part: str(value) for part, value in address.items()}


def _parse_secret(text: str) -> dict[str, Any]:
    try:
        secret = json.loads(text)
    except json.JSONDecodeError:
        url = urlsplit(text.strip())
        return {
            "host": url.hostname,
            "port": url.port,
            "username": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "dbname": unquote(url.path.lstrip("/")),
        }
    return secret if isinstance(secret, dict) else {}


def _fetch(arn: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return client("secretsmanager", FETCH_TIMEOUT_SECONDS).get_secret_value(SecretId=arn)["SecretString"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise RunnerError(
            "secret_unavailable",
            f"the secret {arn} could not be read: {code or error}",
            "check that the secret exists in this account and region, and that the function's role may read and decrypt it",
        ) from error
    except KeyError as error:
        raise RunnerError(
            "secret_unavailable", f"the secret {arn} has no text", "store it as text: an address as JSON or as a URL"
        ) from error
    except BotoCoreError as error:
        raise RunnerError(
            "secret_unavailable",
            f"Secrets Manager did not answer within {FETCH_TIMEOUT_SECONDS * ATTEMPTS} s: {error}",
            "in an isolated subnet, add an interface endpoint for Secrets Manager whose security group allows the function",
        ) from error


def _from_token(settings: dict[str, Any]) -> dict[str, str]:
    from botocore.exceptions import BotoCoreError

    host, port, user = settings["host"], settings["port"], settings["user"]
    try:
        token = client("rds", FETCH_TIMEOUT_SECONDS).generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
    except BotoCoreError as error:
        raise RunnerError(
            "secret_unavailable",
            f"a token for IAM database authentication could not be created: {error}",
            "check that the function has a role with credentials",
        ) from error
    return {"host": host, "port": str(port), "user": user, "password": token, "database": settings["database"]}
