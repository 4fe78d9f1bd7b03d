"""`python -m webapp` is `freshet`."""

from __future__ import annotations

import sys

from webapp.cli import main

sys.exit(main())
