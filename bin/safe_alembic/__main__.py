"""`python -m safe_alembic`."""

import sys

from . import main

sys.exit(main())
