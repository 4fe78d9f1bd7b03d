"""`freshet users adopt`: moves the conversations of visitors and former keys to the user."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from webapp.access.principals import SOLE_USER, owner_of
from webapp.errors import Unavailable
from webapp.settings import Settings
from webapp.wiring import make_secret, make_store, read_settings

if TYPE_CHECKING:
    from webapp.store.ownership import OwnerSummary
    from webapp.store.store import Store

_CLOSE_S = 2.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions to the command line."""
    parser = subparsers.add_parser("users", help="manage the user's conversations")
    actions = parser.add_subparsers(metavar="action", required=True)
    adopt = actions.add_parser(
        "adopt",
        help="move conversations of visitors to the user; without OWNER, list the owners",
        description="Moves the conversations of visitors and former keys to the user, whom everybody with the "
        "password signs in as. Without OWNER, lists the owners.",
    )
    adopt.add_argument("owners", nargs="*", metavar="OWNER", help="visitor:… or token:…, as listed")
    adopt.add_argument("--all", action="store_true", help="move the conversations of all owners")
    adopt.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Move or list. Return 1 when the database is unreachable, 2 for an unknown owner."""
    settings = read_settings()
    store = make_store(settings)
    try:
        return _adopt(store, settings, options.owners, adopt_all=options.all)
    except Unavailable as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    finally:
        store.close(_CLOSE_S)


def _adopt(store: Store, settings: Settings, chosen: Sequence[str], *, adopt_all: bool) -> int:
    from webapp.store import ownership  # noqa: PLC0415  (the other commands need no database)

    user, secret = owner_of("user", SOLE_USER), make_secret(settings, store)
    secret.get()  # loaded first: it may be in the database, which the transaction below locks
    store.write(
        lambda c: ownership.rename_legacy_owners(
            c, settings.access_password, user, lambda owner: secret.digest("former owner", owner)
        )
    )
    summaries = store.read(lambda c: ownership.list_owners(c, except_for=user))
    known = [summary.owner for summary in summaries]
    sources = known if adopt_all else list(chosen)
    unknown = sorted(set(sources) - set(known))
    if unknown:
        print(f"freshet: no conversations of {', '.join(unknown)}", file=sys.stderr)
        return 2
    if not sources:
        _print_owners(summaries)
        return 0
    for owner in sources:
        count = store.move(owner, user)
        print(f"{owner}: {count} {'conversation' if count == 1 else 'conversations'} moved")
    return 0


def _print_owners(summaries: Sequence[OwnerSummary]) -> None:
    if not summaries:
        print("freshet: there are no conversations to move")
        return
    table = Table("owner", "conversations", "last changed", box=None, pad_edge=False)
    for summary in summaries:
        changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.updated_at / 1000))
        table.add_row(summary.owner, str(summary.conversations), changed)
    Console(soft_wrap=True).print(table)
