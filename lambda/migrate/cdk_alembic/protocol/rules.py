"""Names and rules of the contract. Generated from lib/contract, which says what they mean, by `npm run generate`."""

# fmt: off
# ruff: noqa: E501

CONTRACT_VERSION = 1
SETTINGS_VARIABLE = "CDK_ALEMBIC_SETTINGS"
REQUEST_VARIABLE = "CDK_ALEMBIC_REQUEST"
MANIFEST_FILE = "cdk_alembic/manifest.json"
SUPPORTED_VERSIONS = {
    "alembic": {
        "from": "1.8.0",
        "text": "Alembic 1.8 or later",
    },
    "sqlalchemy": {
        "from": "1.4.0",
        "below": "2.2",
        "text": "SQLAlchemy 1.4, 2.0 and 2.1",
    },
}
DRIVERS = (
    "psycopg",
    "psycopg2",
    "pg8000",
    "asyncpg",
)
INSTALL_BACKEND = "install the backend with its dependencies, or pass the Python that has them with --python or the setting \"python\""
BACKEND_DIRECTORY = "backend"
DEPENDENCIES_DIRECTORY = "site-packages"
COMMANDS = (
    "upgrade",
    "plan",
    "current",
    "history",
    "statistics",
    "drift",
    "downgrade",
    "stamp",
)
CHANGING_COMMANDS = (
    "upgrade",
    "downgrade",
    "stamp",
)
RESTRICTED_COMMANDS = (
    "downgrade",
    "stamp",
)
STATUSES = (
    "complete",
    "partial",
    "pending",
    "ahead",
)
ALLOWANCES = (
    "drop_invalid_indexes",
    "drift",
)
DRIFT_FOUND = "drift_found"
SNAPSHOT_TAG = "cdk-alembic"
DATA_LOSS_RULES = (
    "drop-table",
    "drop-column",
    "drop-schema",
    "drop-type",
    "drop-sequence",
    "drop-materialized-view",
    "drop-cascade",
    "drop-owned",
    "detach-partition",
    "truncate",
    "delete-all",
    "clear-column",
    "convert-column",
    "delete-by-query",
    "unread-sql",
)
RUNNER_CODES = (
    "invalid_request",
    "not_allowed",
    "invalid_settings",
    "invalid_project",
    "unknown_revision",
    "multiple_heads",
    "database_ahead",
    "database_unreachable",
    "database_refused",
    "permission_denied",
    "read_only",
    "pooled_connection",
    "invalid_version_table",
    "timed_out",
    "secret_unavailable",
    "locked",
    "blocked",
    "invalid_index",
    "drifted",
    "breaks_replication",
    "snapshot_failed",
    "needs_container",
    "migration_failed",
    "lock_not_available",
    "deadline_reached",
    "cancelled",
    "version_not_moved",
    "internal_error",
)
CONTAINER_EXIT_CODES = {
    "invalid_request": 2,
    "not_allowed": 3,
    "invalid_settings": 3,
    "invalid_project": 3,
    "unknown_revision": 2,
    "multiple_heads": 3,
    "database_ahead": 3,
    "database_unreachable": 4,
    "database_refused": 4,
    "permission_denied": 4,
    "read_only": 4,
    "pooled_connection": 4,
    "invalid_version_table": 3,
    "timed_out": 1,
    "secret_unavailable": 4,
    "locked": 3,
    "blocked": 3,
    "invalid_index": 3,
    "drifted": 3,
    "breaks_replication": 3,
    "snapshot_failed": 3,
    "needs_container": 3,
    "migration_failed": 1,
    "lock_not_available": 1,
    "deadline_reached": 1,
    "cancelled": 143,
    "version_not_moved": 1,
    "internal_error": 1,
}
TENANTS_PAGE = 10000
REQUEST = {
    "name": "the request",
    "by": "command",
    "keys": {
        "command": {
            "type": "choice",
            "of": (
                "upgrade",
                "plan",
                "current",
                "history",
                "statistics",
                "drift",
                "downgrade",
                "stamp",
            ),
            "wrong": "unknown command {value}: use upgrade, plan, current, history, statistics, drift, downgrade, stamp",
            "default": "upgrade",
        },
        "revision": {
            "type": "text",
            "wrong": "{value} is not a revision: use an id, head, base or a step such as +1 or -1",
            "pattern": "(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:[A-Za-z0-9_][A-Za-z0-9_.-]*(?:[+-][0-9]{1,4})?|[+-][0-9]{1,4})",
            "maxLength": 128,
            "takenBy": (
                "upgrade",
                "plan",
                "downgrade",
                "stamp",
            ),
            "neededBy": (
                "downgrade",
                "stamp",
            ),
            "called": "a revision",
        },
        "sliceSeconds": {
            "type": "number",
            "from": 0,
            "to": 900,
            "wrong": "{key} must be a number from 0 to 900",
            "takenBy": (
                "upgrade",
                "downgrade",
            ),
        },
        "allow": {
            "type": "list",
            "of": {
                "type": "choice",
                "of": (
                    "drop_invalid_indexes",
                    "drift",
                ),
                "wrong": "{key} must be one of drop_invalid_indexes, drift, not {value}",
            },
            "takenBy": (
                "upgrade",
                "drift",
            ),
            "wrong": "{key} must be a list of drop_invalid_indexes, drift",
        },
        "requestedBy": {
            "type": "text",
            "wrong": "{key} must be a text of at most 200 printable ASCII characters",
            "pattern": "[\\x20-\\x7e]{1,200}",
        },
        "runId": {
            "type": "text",
            "wrong": "{key} must be a UUID in lower case",
            "pattern": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        },
        "sql": {
            "type": "boolean",
            "wrong": "{key} must be true or false",
            "takenBy": (
                "plan",
            ),
        },
        "snapshot": {
            "type": "boolean",
            "wrong": "{key} must be true or false",
            "takenBy": (
                "upgrade",
                "downgrade",
            ),
        },
        "in": {
            "type": "choice",
            "of": (
                "container",
            ),
            "wrong": "{key} must be one of container, not {value}",
            "takenBy": (
                "upgrade",
                "plan",
            ),
        },
    },
}
SETTINGS = {
    "name": "the settings",
    "keys": {
        "stage": {
            "type": "text",
            "wrong": "{key} must be a text",
            "neededBy": "all",
        },
        "allow": {
            "type": "list",
            "of": {
                "type": "choice",
                "of": (
                    "downgrade",
                    "stamp",
                ),
                "wrong": "{key} must be one of downgrade, stamp, not {value}",
            },
            "neededBy": "all",
            "wrong": "{key} must be a list of downgrade, stamp",
        },
        "database": {
            "type": "object",
            "shape": {
                "name": "the database",
                "by": "source",
                "keys": {
                    "source": {
                        "type": "choice",
                        "of": (
                            "environment",
                            "secret",
                            "iam",
                        ),
                        "wrong": "{key} must be one of environment, secret, iam",
                    },
                    "secretArn": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                        "takenBy": (
                            "secret",
                        ),
                        "neededBy": (
                            "secret",
                        ),
                    },
                    "variables": {
                        "type": "object",
                        "shape": {
                            "name": "the variables",
                            "keys": {
                                "url": {
                                    "type": "text",
                                    "wrong": "{key} must be a text",
                                },
                                "urlScheme": {
                                    "type": "text",
                                    "wrong": "{key} must be a text",
                                },
                                "host": {
                                    "type": "text",
                                    "wrong": "{key} must be a text",
                                },
                                "port": {
                                    "type": "text",
                                    "wrong": "{key} must be a text",
                                },
                                "user": {
                                    "type": "text",
                                    "wrong": "{key} must be a text",
                                },
                                "password": {
                                    "type": "text",
                                    "wrong": "{key} must be a text",
                                },
                                "database": {
                                    "type": "text",
                                    "wrong": "{key} must be a text",
                                },
                            },
                            "oneOf": {
                                "keys": (
                                    "url",
                                    "host",
                                    "port",
                                    "user",
                                    "password",
                                    "database",
                                ),
                                "wrong": "database.variables must name at least one variable",
                            },
                        },
                        "wrong": "{key} must be a JSON object",
                        "takenBy": (
                            "secret",
                            "iam",
                        ),
                        "neededBy": (
                            "secret",
                            "iam",
                        ),
                    },
                    "host": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                        "takenBy": (
                            "secret",
                            "iam",
                        ),
                        "neededBy": (
                            "iam",
                        ),
                    },
                    "port": {
                        "type": "number",
                        "from": 1,
                        "to": 65535,
                        "wrong": "{key} must be a number from 1 to 65535",
                        "takenBy": (
                            "secret",
                            "iam",
                        ),
                        "neededBy": (
                            "iam",
                        ),
                        "whole": True,
                    },
                    "user": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                        "takenBy": (
                            "iam",
                        ),
                        "neededBy": (
                            "iam",
                        ),
                    },
                    "database": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                        "takenBy": (
                            "secret",
                            "iam",
                        ),
                        "neededBy": (
                            "iam",
                        ),
                    },
                },
            },
            "wrong": "{key} must be a JSON object",
            "neededBy": "all",
        },
        "secrets": {
            "type": "list",
            "of": {
                "type": "object",
                "shape": {
                    "name": "the secret",
                    "keys": {
                        "name": {
                            "type": "text",
                            "wrong": "{key} must be a text",
                            "neededBy": "all",
                        },
                        "secretArn": {
                            "type": "text",
                            "wrong": "{key} must be a text",
                            "neededBy": "all",
                        },
                        "field": {
                            "type": "text",
                            "wrong": "{key} must be a text",
                        },
                    },
                },
                "wrong": "{key} must be a JSON object",
            },
            "once": "name",
            "wrong": "{key} must be a list of secrets",
        },
        "guard": {
            "type": "boolean",
            "wrong": "{key} must be true or false",
        },
        "guardUnread": {
            "type": "boolean",
            "wrong": "{key} must be true or false",
        },
        "protected": {
            "type": "boolean",
            "wrong": "{key} must be true or false",
        },
        "limits": {
            "type": "object",
            "shape": {
                "name": "the limits",
                "keys": {
                    "mutexWaitSeconds": {
                        "type": "number",
                        "from": 0,
                        "to": 900,
                        "wrong": "{key} must be a number from 0 to 900",
                    },
                    "lockTimeoutSeconds": {
                        "type": "number",
                        "from": 0,
                        "to": 900,
                        "wrong": "{key} must be a number from 0 to 900",
                    },
                    "lockRetrySeconds": {
                        "type": "number",
                        "from": 0,
                        "to": 900,
                        "wrong": "{key} must be a number from 0 to 900",
                    },
                    "connectRetrySeconds": {
                        "type": "number",
                        "from": 0,
                        "to": 900,
                        "wrong": "{key} must be a number from 0 to 900",
                    },
                    "endBlockers": {
                        "type": "object",
                        "shape": {
                            "name": "endBlockers",
                            "keys": {
                                "roles": {
                                    "type": "list",
                                    "of": {
                                        "type": "text",
                                        "wrong": "{key} must be a text",
                                    },
                                    "min": 1,
                                    "wrong": "{key} must be a list of names",
                                },
                                "applications": {
                                    "type": "list",
                                    "of": {
                                        "type": "text",
                                        "wrong": "{key} must be a text",
                                    },
                                    "min": 1,
                                    "wrong": "{key} must be a list of names",
                                },
                                "idleSeconds": {
                                    "type": "number",
                                    "from": 0,
                                    "to": 900,
                                    "wrong": "{key} must be a number from 0 to 900",
                                },
                            },
                            "oneOf": {
                                "keys": (
                                    "roles",
                                    "applications",
                                ),
                                "wrong": "limits.endBlockers must name roles or applications",
                            },
                        },
                        "wrong": "{key} must be a JSON object",
                    },
                },
            },
            "wrong": "{key} must be a JSON object",
        },
        "eventBus": {
            "type": "text",
            "wrong": "{key} must be a text",
        },
        "onReplication": {
            "type": "choice",
            "of": (
                "warn",
                "refuse",
                "ignore",
            ),
            "wrong": "{key} must be one of warn, refuse, ignore, not {value}",
        },
        "container": {
            "type": "text",
            "wrong": "{key} must be a text",
        },
        "onDrift": {
            "type": "choice",
            "of": (
                "warn",
                "refuse",
                "ignore",
            ),
            "wrong": "{key} must be one of warn, refuse, ignore, not {value}",
        },
        "snapshot": {
            "type": "object",
            "shape": {
                "name": "the snapshots",
                "keys": {
                    "before": {
                        "type": "choice",
                        "of": (
                            "data_loss",
                            "every_run",
                        ),
                        "wrong": "{key} must be one of data_loss, every_run, not {value}",
                        "neededBy": "all",
                    },
                    "cluster": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                    },
                    "instance": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                    },
                    "prefix": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                        "pattern": "[a-z](?:-?[a-z0-9])*",
                        "neededBy": "all",
                    },
                    "keep": {
                        "type": "number",
                        "from": 1,
                        "to": 100,
                        "wrong": "{key} must be a number from 1 to 100",
                        "whole": True,
                        "neededBy": "all",
                    },
                },
                "oneOf": {
                    "keys": (
                        "cluster",
                        "instance",
                    ),
                    "wrong": "snapshot must name a cluster or an instance",
                },
                "notBoth": {
                    "keys": (
                        "cluster",
                        "instance",
                    ),
                    "wrong": "snapshot must name a cluster or an instance, not both",
                },
            },
            "wrong": "{key} must be a JSON object",
        },
        "tenants": {
            "type": "object",
            "shape": {
                "name": "the settings of tenants",
                "keys": {
                    "query": {
                        "type": "text",
                        "wrong": "{key} must be a text",
                    },
                },
            },
            "wrong": "{key} must be a JSON object",
        },
    },
}
TENANT_REQUEST = {
    "name": "the request",
    "by": "command",
    "keys": {
        "command": {
            "type": "choice",
            "of": (
                "upgrade",
                "plan",
                "drift",
                "tenants",
            ),
            "wrong": "unknown command {value}: use upgrade, plan, drift, tenants",
            "default": "upgrade",
        },
        "tenants": {
            "type": "list",
            "of": {
                "type": "object",
                "shape": {
                    "name": "a tenant",
                    "keys": {
                        "name": {
                            "type": "text",
                            "wrong": "{key}: {value} is not a usable name: use at most 63 letters, digits and _ $ . -, the first a letter, a digit or _",
                            "pattern": "[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}",
                            "neededBy": "all",
                        },
                        "schema": {
                            "type": "text",
                            "wrong": "{key}: {value} is not a usable name: use at most 63 letters, digits and _ $ . -, the first a letter, a digit or _",
                            "pattern": "[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}",
                        },
                        "secretArn": {
                            "type": "text",
                            "wrong": "{key} must be the ARN of a secret, not {value}",
                            "pattern": "arn:.+",
                        },
                    },
                },
                "wrong": "{key} must be a tenant, {\"name\": \"...\"}, not {value}",
            },
            "once": "name",
            "wrong": "{key} must be a list of 1 to 1000 tenants",
            "min": 1,
            "max": 1000,
            "takenBy": (
                "upgrade",
                "plan",
                "drift",
            ),
            "neededBy": (
                "upgrade",
                "plan",
                "drift",
            ),
            "called": "tenants, a list of 1 to 1000",
        },
        "after": {
            "type": "text",
            "wrong": "{key}: {value} is not a usable name: use at most 63 letters, digits and _ $ . -, the first a letter, a digit or _",
            "pattern": "[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}",
            "takenBy": (
                "tenants",
            ),
        },
        "toleratedFailures": {
            "type": "number",
            "from": 0,
            "whole": True,
            "takenBy": (
                "upgrade",
            ),
            "wrong": "{key} must be a number of tenants",
        },
        "sliceSeconds": {
            "type": "number",
            "from": 0,
            "to": 900,
            "wrong": "{key} must be a number from 0 to 900",
            "takenBy": (
                "upgrade",
                "downgrade",
            ),
        },
        "allow": {
            "type": "list",
            "of": {
                "type": "choice",
                "of": (
                    "drop_invalid_indexes",
                    "drift",
                ),
                "wrong": "{key} must be one of drop_invalid_indexes, drift, not {value}",
            },
            "takenBy": (
                "upgrade",
                "drift",
            ),
            "wrong": "{key} must be a list of drop_invalid_indexes, drift",
        },
        "requestedBy": {
            "type": "text",
            "wrong": "{key} must be a text of at most 200 printable ASCII characters",
            "pattern": "[\\x20-\\x7e]{1,200}",
        },
        "runId": {
            "type": "text",
            "wrong": "{key} must be a UUID in lower case",
            "pattern": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        },
    },
}
TENANTS = {
    "type": "list",
    "of": {
        "type": "object",
        "shape": {
            "name": "a tenant",
            "keys": {
                "name": {
                    "type": "text",
                    "wrong": "{key}: {value} is not a usable name: use at most 63 letters, digits and _ $ . -, the first a letter, a digit or _",
                    "pattern": "[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}",
                    "neededBy": "all",
                },
                "schema": {
                    "type": "text",
                    "wrong": "{key}: {value} is not a usable name: use at most 63 letters, digits and _ $ . -, the first a letter, a digit or _",
                    "pattern": "[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}",
                },
                "secretArn": {
                    "type": "text",
                    "wrong": "{key} must be the ARN of a secret, not {value}",
                    "pattern": "arn:.+",
                },
            },
        },
        "wrong": "{key} must be a tenant, {\"name\": \"...\"}, not {value}",
    },
    "once": "name",
    "wrong": "{key} must be a list of tenants",
}
