"""Who is asking, once that is known."""

from __future__ import annotations

from typing import Literal

import msgspec

from webapp.errors import NotSignedIn, Unavailable

Kind = Literal["user", "visitor", "key"]

OWNER = "owner"  # the one user of local and of password mode


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """One caller.

    `name` is None for a caller without a cookie or a known credential: such a one counts against its address
    alone, and stores and reads nothing. `address` is the network that counts as one address (see
    `addresses.network_of`). `session` is the id of the sign-in session, where the caller came by one.
    `is_counted` is False in local mode, where there are caps but no counts. `is_unverified` says that there was a
    cookie, and that nobody can tell now whose it is.
    """

    kind: Kind
    name: str | None
    address: str
    session: str | None = None
    is_counted: bool = True
    is_unverified: bool = False

    @property
    def owner(self) -> str | None:
        """The name in storage of what this caller owns; None for a caller that owns nothing."""
        return None if self.name is None else owner_of(self.kind, self.name)


def owner_of(kind: Kind, name: str) -> str:
    """Return the name in storage of a principal's things."""
    return f"{kind}:{name}"


def require_owner(caller: Principal) -> str:
    """Require an owner, because stored data must belong to one.

    Raises `NotSignedIn`, and `Unavailable` where nobody can tell now whose the caller's cookie is.
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
