"""The bodies of requests about publishable keys and their visitors, and the JSON of a key."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from webapp.access.keys import ROTATION_S
from webapp.publishable_keys import KeyProfile, Name, PublishableKey


class NewKeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request that creates a key."""

    name: Name
    origins: list[str] = []
    profile: dict[str, Any] = {}


class ChangedKeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request that changes a key; what is missing stays. `profile` replaces the whole profile."""

    name: Name | None = None
    origins: list[str] | None = None
    profile: dict[str, Any] | None = None


class RotationBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request that rotates a key: the seconds for which the value before stays valid."""

    keep_s: Annotated[float, msgspec.Meta(ge=0, le=90 * 24 * 3_600)] = ROTATION_S


class VisitorTokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request for a visitor's token; `token` is the one to renew, or the one that the site has signed."""

    key: str
    token: str | None = None


def key_body(key: PublishableKey) -> dict[str, object]:
    """Return the JSON body of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "origins": key.origins,
        "profile": msgspec.to_builtins(key.profile),
        "values": [
            {"key": value.token, "created_at": value.created_at, "expires_at": value.expires_at}
            for value in key.values
        ],
        "created_at": key.created_at,
    }


def public_part(profile: KeyProfile) -> dict[str, object]:
    """Return what the visitor's page shows of a profile."""
    return {
        "greeting": profile.greeting,
        "suggestions": profile.suggestions,
        "language": profile.language,
        "privacy_url": profile.privacy_url,
        "signed_only": profile.signed_only,
    }
