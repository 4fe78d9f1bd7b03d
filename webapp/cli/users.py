"""`freshet users adopt`: gives the one user what visitors and former keys have stored."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from webapp.access.principals import OWNER, owner_of
from webapp.errors import Unavailable
from webapp.settings import Settings
from webapp.wiring import make_secret, make_store, read_settings

if TYPE_CHECKING:
    from webapp.store.ownership import Holding
    from webapp.store.store import Store

_CLOSE_S = 2.0


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the commands."""
    parser = commands.add_parser("users", help="the user of this server and what belongs to it")
    actions = parser.add_subparsers(metavar="action", required=True)
    adopt = actions.add_parser(
        "adopt",
        help="move conversations of visitors to the user; without a name, list those who have any",
        description="Moves all that a visitor has to the user whom everybody is who knows the password.",
    )
    adopt.add_argument("owners", nargs="*", metavar="OWNER", help="such as visitor:… or token:…, as listed")
    adopt.add_argument("--all", action="store_true", help="move what all of them have")
    adopt.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Move or list; 1 where the database cannot be reached, 2 for a name that has nothing."""
    settings = read_settings()
    store = make_store(settings)
    try:
        return _adopt(store, settings, chosen.owners, everything=chosen.all)
    except Unavailable as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    finally:
        store.close(_CLOSE_S)


def _adopt(store: Store, settings: Settings, owners: Sequence[str], *, everything: bool) -> int:
    from webapp.store import ownership  # noqa: PLC0415  (the other commands need no database)

    user, secret = owner_of("user", OWNER), make_secret(settings, store)
    secret.get()  # before the transaction that needs it
    store.write(
        lambda c: ownership.rename_former(
            c, settings.access_password, user, lambda owner: secret.digest("former owner", owner)
        )
    )
    found = store.read(lambda c: ownership.holdings(c, but=user))
    wanted = [holding.owner for holding in found] if everything else list(owners)
    unknown = sorted(set(wanted) - {holding.owner for holding in found})
    if unknown:
        print(f"freshet: nobody of this name has conversations: {', '.join(unknown)}", file=sys.stderr)
        return 2
    if not wanted:
        _list(found)
        return 0
    for owner in wanted:
        moved = store.move(owner, user)
        print(f"{owner}: {moved} {'conversation' if moved == 1 else 'conversations'} moved")
    return 0


def _list(found: Sequence[Holding]) -> None:
    if not found:
        print("freshet: nobody but the user has conversations")
        return
    table = Table("owner", "conversations", "last changed", box=None, pad_edge=False)
    for holding in found:
        changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(holding.updated_at / 1000))
        table.add_row(holding.owner, str(holding.conversations), changed)
    Console(soft_wrap=True).print(table)
