"""Events of an answer, the same for all providers: a provider's own format is known only to its own module."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from webapp.chat import FinishReason, Usage
from webapp.chat import Source as Source


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of the answer's text."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of the model's reasoning, which is not part of the answer."""

    text: str


MAX_SEALED_CHARS = 512 * 1024


class ReasoningSealed(msgspec.Struct, frozen=True, gc=False):
    """The reasoning that the answer begins with, as only its provider can read it; a later event replaces an earlier one.

    It is stored with an answer that was cut off, and given back to the provider that continues it, which alone knows the form of
    `data`, of at most `MAX_SEALED_CHARS`. No reader ever gets it.
    """

    data: str


class TextWasReasoning(msgspec.Struct, frozen=True, gc=False):
    """All text so far was reasoning whose beginning the provider did not mark; the answer's text begins now."""


class CallUsage(msgspec.Struct, frozen=True, gc=False):
    """The usage of one of several calls behind an answer; `model` None is the one that was asked for."""

    model: str | None
    usage: Usage


class UsageReport(msgspec.Struct, frozen=True, gc=False):
    """Tokens used so far. A later report replaces an earlier one; None keeps the earlier number.

    `input_tokens` includes the tokens that were read from the provider's prompt cache or written to it. `calls` are the parts of
    it that other models may have used, each at its own price; empty where it was one call.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    calls: tuple[CallUsage, ...] = ()


MAX_SOURCES = 200
MAX_ADDRESS_CHARS = 2_000


def web_address(text: str) -> str:
    """Return an http or https address without surrounding space; "" for anything else, because pages link to it."""
    address = text.strip()
    if len(address) > MAX_ADDRESS_CHARS or any(char <= " " or char in '<>"\x7f' for char in address):
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme.lower() in ("http", "https") and parts.hostname else ""


def merge_sources(earlier: Sequence[Source], later: Sequence[Source]) -> tuple[Source, ...]:
    """Return the sources of a continued answer: the earlier ones, then those that are new.

    The earlier text refers to its sources by number, so a new source whose number is taken gets the next free one.
    """
    known = {source.source or source.title for source in earlier}
    taken = {source.n for source in earlier}
    merged = list(earlier)
    for source in later:
        if (source.source or source.title) in known or len(merged) >= MAX_SOURCES:
            continue
        n = source.n if source.n not in taken else max(taken) + 1
        taken.add(n)
        merged.append(msgspec.structs.replace(source, n=n))
    return tuple(merged)


class SourcesFound(msgspec.Struct, frozen=True, gc=False):
    """All sources that the provider has cited so far; a later event replaces an earlier one."""

    sources: tuple[Source, ...]


class TopLogprob(msgspec.Struct, frozen=True, gc=False):
    """A token that the model could have chosen, with the logarithm of its probability; `bytes` are its UTF-8."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(msgspec.Struct, frozen=True, gc=False):
    """A token of the answer; `top_logprobs` are the most likely ones at its place. The fields are named as OpenAI names them."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] = []


class LogprobsFound(msgspec.Struct, frozen=True, gc=False):
    """The tokens of the delta that follows; only where the request asked for them."""

    tokens: tuple[TokenLogprob, ...]


class ParameterIgnored(msgspec.Struct, frozen=True, gc=False):
    """A parameter of the request that was left out, because the provider or model refuses it."""

    name: str


class ModelLoading(msgspec.Struct, frozen=True, gc=False):
    """The provider is loading the model, which may take a while."""


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The provider's confirmation that the answer is complete; always the last event.

    `model` is the model's name as the provider reports it; `damaged` counts the events that could not be parsed.
    """

    finish_reason: FinishReason
    model: str | None = None
    damaged: int = 0


Event = (
    TextDelta
    | ReasoningDelta
    | ReasoningSealed
    | TextWasReasoning
    | UsageReport
    | SourcesFound
    | LogprobsFound
    | ParameterIgnored
    | ModelLoading
    | Finished
)
