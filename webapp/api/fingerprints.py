"""Digests of the requests that start runs, by which a repeated request is told from another one with the same run's id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from webapp.api.start_request import (
    StartBody,
    requested_collections,
    requested_effort,
    requested_tokens,
    stop_sequences,
)
from webapp.chat import ModelRequest
from webapp.frames import encode
from webapp.seams import Provider
from webapp.store.images import StoredImage


def of_messages(body: StartBody, provider: Provider, request: ModelRequest) -> str:
    """Return a digest of a request whose messages are all in it, without what was found for it."""
    asked = msgspec.structs.replace(request, max_tokens=requested_tokens(body))
    return hashlib.sha256(encode([*_asked_model(body, provider), asked, *_searched(body)])).hexdigest()


def of_turn(body: StartBody, provider: Provider, images: Sequence[StoredImage]) -> str:
    """Return a digest of the fields of a request that adds a turn to a conversation.

    Nothing resolved from them is part of it: a conversation's leaf changes between two attempts. An image has the same
    digest as bytes and as id.
    """
    place = "below" if body.at_leaf else "at"
    parent = ["leaf"] if body.parent is msgspec.UNSET else [place, body.parent]
    fields: list[object] = [
        *(*_asked_model(body, provider), body.conversation, parent, body.continue_, body.query),
        *([image.id for image in images], body.system, requested_tokens(body), body.temperature),
        *(stop_sequences(body), body.seed, requested_effort(body)),
        *_searched(body),
    ]
    return hashlib.sha256(encode(["turn", fields])).hexdigest()


def _searched(body: StartBody) -> list[object]:
    """Return what is asked to be searched; nothing for most requests, whose digest is that of the version before."""
    asked: list[object] = [body.retrieve, requested_collections(body)]
    return asked if any(asked) else []


def _asked_model(body: StartBody, provider: Provider) -> tuple[str, str | None]:
    """Return the provider, and the model if the request names one: the default may change between two attempts."""
    return provider.name, None if body.model is None else provider.model_name
