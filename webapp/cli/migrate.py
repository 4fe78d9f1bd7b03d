"""`freshet migrate`: migrates the Postgres database; hosting platforms run it before they start a release."""

from __future__ import annotations

import argparse
import sys

from webapp.errors import Unavailable
from webapp.wiring import make_store, read_settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("migrate", help="migrate the database of DATABASE_URL")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Migrate. Return 0, also without a DATABASE_URL, or 1 when the database is unreachable."""
    del options
    settings = read_settings()
    if settings.database_url is None:
        print("freshet: DATABASE_URL is not set; SQLite is migrated when the server starts")
        return 0
    try:
        changed = make_store(settings).database.migrate()
    except Unavailable as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    print(f"freshet: the database {'has been migrated' if changed else 'is already up to date'}")
    return 0
