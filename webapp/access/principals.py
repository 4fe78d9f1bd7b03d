"""Principals: the identified callers of requests."""

from __future__ import annotations

from typing import Literal

import msgspec

from webapp.errors import NotSignedIn, Unavailable
from webapp.publishable_keys import PublishableKey

Kind = Literal["user", "visitor", "key"]

SOLE_USER = "owner"  # the name of the only user, in local and in password mode


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """One caller.

    `name` is None for a caller without a cookie or valid credential. Such a caller stores and reads nothing, and only
    the limits of its address apply. `address` is the network that limits apply to (see `addresses.network_of`).
    `session` is the id of the sign-in session, if there is one. `is_counted` is False in local mode: sizes are limited
    there, but nothing is counted. `is_unverified` means that a cookie came but cannot be verified at the moment. `key` is the
    publishable key with which a visitor of another site has come.
    """

    kind: Kind
    name: str | None
    address: str
    session: str | None = None
    is_counted: bool = True
    is_unverified: bool = False
    key: PublishableKey | None = None

    @property
    def owner(self) -> str | None:
        """The owner of this caller's data in storage; None for a caller without a name."""
        return None if self.name is None else owner_of(self.kind, self.name)

    @property
    def key_id(self) -> str | None:
        """The id of the publishable key, if there is one."""
        return None if self.key is None else self.key.id


EVERYBODY = "everyone"
"""The grantee that stands for everybody who may ask."""


def grantees_of(caller: Principal) -> tuple[str, ...]:
    """Return the names under which others may have given a caller something to read."""
    return (EVERYBODY,) if caller.key is None else (EVERYBODY, f"key:{caller.key.id}")


def owner_of(kind: Kind, name: str) -> str:
    """Return the owner column's value for a principal."""
    return f"{kind}:{name}"


def key_of(owner: str | None) -> str | None:
    """Return the id of the key whose visitor an owner is; None for any other owner."""
    kind, _, name = (owner or "").partition(":")
    return name.partition(".")[0] if kind == "key" and "." in name else None


def require_owner(caller: Principal) -> str:
    """Require an owner, because stored data must belong to one.

    Raises `NotSignedIn`, or `Unavailable` when the caller's cookie cannot be verified at the moment.
    """
    if caller.is_unverified:
        raise Unavailable(
            "The conversations cannot be reached at the moment.", code="store_away", retry_after_s=3
        )
    if caller.owner is None:
        raise NotSignedIn(
            "Conversations need an owner: open the page first, which sets a cookie, or sign in.",
            code="no_owner",
        )
    return caller.owner
