"""`freshet migrate`: brings the Postgres of DATABASE_URL up to date; hosts run it before a release serves."""

from __future__ import annotations

import argparse
import sys

from webapp.errors import Unavailable
from webapp.wiring import make_store, read_settings


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("migrate", help="bring the database of DATABASE_URL up to date")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Migrate; 0 also where there is no DATABASE_URL, 1 where the database cannot be reached."""
    del chosen
    settings = read_settings()
    if settings.database_url is None:
        print("freshet: DATABASE_URL is not set; SQLite is brought up to date when the server starts")
        return 0
    try:
        changed = make_store(settings).database.migrate()
    except Unavailable as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    print("freshet: the database is up to date" + ("" if changed else " already"))
    return 0
