"""What a publishable key decides for the answers of its visitors: its fields are set by its profile, and refused in a request."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from webapp.api.start_request import ROLES, StartBody
from webapp.chat import ModelMessage
from webapp.errors import Forbidden, InvalidRequest
from webapp.publishable_keys import KeyProfile
from webapp.seams import Providers

DECIDED = (
    "system",
    "provider",
    "model",
    "effort",
    "reasoning_effort",
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "retrieve",
    "orphan_s",
)


def apply_profile(body: StartBody, profile: KeyProfile, providers: Providers) -> StartBody:
    """Return the body with what the profile decides. Raises `Forbidden`, naming the field, for a body that decides it itself.

    A model is accepted where it is the key's own, because OpenAI's clients always name one.
    """
    model = _first_model(profile, providers)
    for name in DECIDED:
        value = getattr(body, name)
        if value is not None and not (name == "model" and value == model):
            raise _decided(name)
    for index, message in enumerate(body.messages or ()):
        if ROLES.get(message.role) == "system":
            raise _decided(f"messages[{index}].role")
    return msgspec.structs.replace(
        body,
        system=profile.system,
        model=model,
        effort=profile.effort,
        temperature=profile.temperature,
        max_tokens=profile.max_tokens,
        collection=list(profile.collections) or body.collection,
    )


def with_system(messages: Sequence[ModelMessage], profile: KeyProfile) -> list[ModelMessage]:
    """Return messages that came from a key's visitor after its system prompt. Raises `Forbidden` if they have one of their own."""
    if any(message.role == "system" for message in messages):
        raise _decided("messages")
    return [ModelMessage.system(profile.system), *messages] if profile.system else list(messages)


def _first_model(profile: KeyProfile, providers: Providers) -> str | None:
    """Return the first model of the profile that the server offers; its first if it offers none, whose error says why."""
    for name in profile.models:
        try:
            providers.resolve(None, name)
        except InvalidRequest:
            continue
        return name
    return profile.models[0] if profile.models else None


def _decided(name: str) -> Forbidden:
    return Forbidden(f"The site's key decides {name}: leave it out.", param=name, code="key_decides")
