"""Runs the `freshet` command as `python -m webapp`."""

from __future__ import annotations

import sys

from webapp.cli import main

sys.exit(main())
