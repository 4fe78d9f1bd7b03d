"""Bodies of requests that change or share a stored conversation."""

from __future__ import annotations

from typing import Annotated

import msgspec

from webapp.api.start_request import Name

_MAX_TITLE_CHARS = 200
_MAX_SYSTEM_CHARS = 100_000


class ConversationChange(msgspec.Struct, frozen=True):
    """New values for a conversation; an absent field is not changed. `system` null removes the system prompt."""

    title: Annotated[str, msgspec.Meta(max_length=_MAX_TITLE_CHARS)] | msgspec.UnsetType = msgspec.UNSET
    system: Annotated[str, msgspec.Meta(max_length=_MAX_SYSTEM_CHARS)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    leaf: Name | msgspec.UnsetType = msgspec.UNSET


class ShareBody(msgspec.Struct, frozen=True):
    """The branch to share: the one that ends at `leaf`; null for the current branch."""

    leaf: Name | None = None
