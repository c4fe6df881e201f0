from pytest_alembic.tests import *  # noqa: F403
