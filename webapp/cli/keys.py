"""`freshet keys`: make, list, change, rotate and revoke the keys with which other sites show the chat."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table

from webapp.access.keys import ROTATION_S, Keys, NewValue
from webapp.access.principals import SOLE_USER, owner_of
from webapp.errors import InvalidRequest, RequestError, Unavailable
from webapp.publishable_keys import KeyProfile, read_origins, read_profile
from webapp.wiring import make_secret, make_store, read_settings

if TYPE_CHECKING:
    from webapp.publishable_keys import PublishableKey

_CLOSE_S = 2.0
_WIDTH = 200
_DAY_S = 24 * 3_600
_OWNER = owner_of("user", SOLE_USER)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions to the command line."""
    parser = subparsers.add_parser("keys", help="manage the keys of sites that show the chat")
    actions = parser.add_subparsers(metavar="action", required=True)
    add = actions.add_parser(
        "add",
        help="make a key",
        description="Makes a publishable key, which a site puts into its pages, and prints the secret with which the site's own "
        "server may sign its visitors in: it is shown this once.",
    )
    add.add_argument("name", metavar="NAME", help="what the list of keys says, such as the site's name")
    _add_fields(add)
    add.set_defaults(run=_command(_add))
    actions.add_parser("list", help="list the keys").set_defaults(run=_command(_list))
    change = actions.add_parser(
        "change", help="change what a key decides", description="Changes a key; what is not given stays."
    )
    _add_id(change)
    change.add_argument("--name", help="another name")
    _add_fields(change)
    change.set_defaults(run=_command(_change))
    rotate = actions.add_parser(
        "rotate",
        help="give a key a new value and secret",
        description="Gives a key a new value and secret. The value before stays valid for a while, so that the site can change.",
    )
    _add_id(rotate)
    rotate.add_argument(
        "--keep-days",
        type=float,
        default=ROTATION_S / _DAY_S,
        metavar="DAYS",
        help=f"how long the value before stays valid ({ROTATION_S // _DAY_S})",
    )
    rotate.set_defaults(run=_command(_rotate))
    revoke = actions.add_parser("revoke", help="end a key: its answers stop within two seconds")
    _add_id(revoke)
    revoke.set_defaults(run=_command(_revoke))


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="ID", help="the key's id, as listed")


def _add_fields(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--origin",
        dest="origins",
        action="append",
        metavar="ORIGIN",
        help="a site that may use it, such as https://example.com or https://*.example.com; may be repeated. Without any, nobody may",
    )
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="a JSON file with what the key decides: " + ", ".join(KeyProfile.__struct_fields__),
    )
    parser.add_argument(
        "--set",
        dest="fields",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="one field of the profile, its value as JSON or text; may be repeated",
    )


def _command(work: Callable[[Keys, argparse.Namespace], None]) -> Callable[[argparse.Namespace], int]:
    """Return a command that opens the keys. It returns 1 where the database is unreachable, 2 for what is refused."""

    def run(options: argparse.Namespace) -> int:
        settings = read_settings()
        store = make_store(settings)
        try:
            work(Keys(store.keys, make_secret(settings, store)), options)
        except Unavailable as error:
            print(f"freshet: {error.message}", file=sys.stderr)
            return 1
        except RequestError as error:
            print(f"freshet: {error.message}", file=sys.stderr)
            return 2
        finally:
            store.close(_CLOSE_S)
        return 0

    return run


def _add(keys: Keys, options: argparse.Namespace) -> None:
    origins = read_origins(options.origins or [])
    created = keys.create(_OWNER, options.name, origins, _read_fields(options, KeyProfile()))
    _print_new(created)
    if not origins:
        print(
            "No site may use it yet: name some with freshet keys change ID --origin https://example.com",
            file=sys.stderr,
        )


def _list(keys: Keys, _: argparse.Namespace) -> None:
    listed = keys.list_all()
    if not listed:
        print("freshet: there are no keys")
        return
    table = Table("id", "name", "key", "sites", "made", box=None, pad_edge=False)
    for key in listed:
        made = time.strftime("%Y-%m-%d", time.localtime(key.created_at / 1000))
        values = "\n".join(_describe_value(key))
        table.add_row(key.id, key.name, values, "\n".join(key.origins) or "none", made)
    Console(soft_wrap=True, width=_WIDTH).print(table)  # a value is copied, so none may be cut


def _describe_value(key: PublishableKey) -> list[str]:
    now = time.time() * 1000
    return [
        value.token
        if value.expires_at is None
        else f"{value.token} (until {time.strftime('%Y-%m-%d %H:%M', time.localtime(value.expires_at / 1000))})"
        for value in key.values
        if value.is_valid(round(now))
    ]


def _change(keys: Keys, options: argparse.Namespace) -> None:
    found = keys.find_by_id(options.key)
    keys.change(
        msgspec.structs.replace(
            found,
            name=options.name or found.name,
            origins=found.origins if options.origins is None else read_origins(options.origins),
            profile=_read_fields(options, found.profile),
        )
    )
    print(f"{found.name}: changed")


def _rotate(keys: Keys, options: argparse.Namespace) -> None:
    if not 0 <= options.keep_days <= 90:
        raise InvalidRequest("--keep-days must be from 0 to 90.", param="keep-days", code="bad_number")
    _print_new(keys.rotate(options.key, options.keep_days * _DAY_S))


def _revoke(keys: Keys, options: argparse.Namespace) -> None:
    found = keys.find_by_id(options.key)
    keys.revoke(found.id)
    print(f"{found.name}: revoked")


def _read_fields(options: argparse.Namespace, before: KeyProfile) -> KeyProfile:
    """Return the profile that the options describe. Raises `InvalidRequest`."""
    fields = msgspec.to_builtins(before)
    if options.profile is not None:
        try:
            fields = json.loads(options.profile.read_bytes())
        except (OSError, ValueError) as error:
            raise InvalidRequest(f"{options.profile} is no JSON file: {error}", param="profile") from None
        if not isinstance(fields, dict):
            raise InvalidRequest(f"{options.profile} must contain a JSON object.", param="profile")
    for each in options.fields:
        name, separator, value = each.partition("=")
        if not separator:
            raise InvalidRequest(f"--set needs FIELD=VALUE, not {each!r}", param="set")
        fields[name] = _read_value(value)
    return read_profile(fields)


def _read_value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _print_new(new: NewValue) -> None:
    print(f"id      {new.key.id}\nkey     {new.key.values[0].token}\nsecret  {new.secret}")
