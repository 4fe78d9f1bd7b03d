"""The reference to a run's request: what the journal keeps of it, so that another worker can continue the answer.

A turn of a conversation is loaded from the store again, so its reference has only ids and parameters, and the question in case it
was not stored any more. Without a conversation it is a copy of the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from webapp.access.principals import Principal
from webapp.chat import Effort, ModelMessage, ModelRequest, estimate_input_tokens, estimate_tokens
from webapp.journal_records import MAX_REQUEST_BYTES
from webapp.seams import Provider
from webapp.store.turns import TurnPlan
from webapp.store.writes import TurnStart

VERSION = 1


class RunReference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decoded reference.

    Args:
        version: Another worker may run another version of Freshet: references of other versions are not read.
        chain: The provider and its fallbacks, each with its model.
        is_counted: Whether the answer counts against its caller's limits.
        turn: The turn, without its images; its question is missing if it is not new, or too large.
        messages: The messages of a request without a conversation.
        input_tokens: The estimated tokens of the request.
        prefix_tokens: The estimated tokens at the beginning of the answer that an earlier answer has generated.

    The other fields are those of `ModelRequest`.
    """

    version: int = VERSION
    chain: tuple[tuple[str, str], ...]
    orphan_s: float
    is_counted: bool = True
    turn: TurnStart | None = None
    messages: tuple[ModelMessage, ...] = ()
    input_tokens: int = 0
    prefix_tokens: int = 0
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    effort: Effort | None = None
    parameters: Mapping[str, Any] = {}


_decode = msgspec.json.Decoder(RunReference).decode


def encode_reference(
    caller: Principal,
    request: ModelRequest,
    chain: Sequence[Provider],
    orphan_s: float,
    plan: TurnPlan | None = None,
) -> bytes:
    """Return the reference to a request: to a turn's, where it has a `plan`, or else a copy.

    It is b"" for one that is too large to be kept, and for a caller without an owner, of whom nothing is stored: such
    answers are not continued.
    """
    if caller.owner is None:
        return b""
    reference = RunReference(
        chain=tuple((provider.name, provider.model_name) for provider in chain),
        orphan_s=orphan_s,
        is_counted=caller.is_counted,
        turn=None if plan is None else msgspec.structs.replace(plan.start, images=()),
        messages=tuple(request.messages) if plan is None else (),
        input_tokens=estimate_input_tokens(request),
        prefix_tokens=0 if plan is None else estimate_tokens(plan.prefix),
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        stop=request.stop,
        seed=request.seed,
        effort=request.effort,
        parameters=request.parameters,
    )
    raw = msgspec.json.encode(reference)
    if len(raw) > MAX_REQUEST_BYTES and reference.turn is not None:
        turn = msgspec.structs.replace(reference.turn, question=None)
        raw = msgspec.json.encode(msgspec.structs.replace(reference, turn=turn))
    return raw if len(raw) <= MAX_REQUEST_BYTES else b""


def decode_reference(raw: bytes) -> RunReference | None:
    """Return a reference; None for an empty one, and for one of another version."""
    try:
        reference = _decode(raw)
    except msgspec.MsgspecError:
        return None
    return reference if reference.version == VERSION else None
