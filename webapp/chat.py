"""The values of a chat: messages with their parts, request, response and usage.

Independent of providers, wire formats and time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from webapp.errors import InvalidRequest

Role = Literal["system", "user", "assistant"]
MAX_TOKENS = 1_000_000
MAX_TEMPERATURE = 2
_MAX_STOP_SEQUENCES = 4
Effort = Literal["none", "low", "medium", "high", "xhigh", "max"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "cancelled"]


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """A text in a message."""

    text: str


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image", kw_only=True):
    """An image in a message: either `data` (base64, with its `media_type`) or a `url` (http or https).

    `detail` is how closely the model looks at it (`low`, `high`, …) where the provider knows that; None for its default.
    """

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    detail: str | None = None


Part = TextPart | ImagePart
Content = str | tuple[Part, ...]


class ModelMessage(msgspec.Struct, frozen=True):
    """A message of a conversation; `name` tells people of one role apart where the provider supports it."""

    role: Role
    content: Content
    name: str | None = None

    @classmethod
    def user(cls, content: str | Sequence[Part]) -> ModelMessage:
        """Create a user's message."""
        return cls("user", content if isinstance(content, str) else tuple(content))

    @classmethod
    def assistant(cls, content: str) -> ModelMessage:
        """Create a model's message."""
        return cls("assistant", content)

    @classmethod
    def system(cls, content: str) -> ModelMessage:
        """Create a system message."""
        return cls("system", content)

    @property
    def text(self) -> str:
        """The text parts, joined by newlines."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts; plain text is a single part."""
        return (TextPart(self.content),) if isinstance(self.content, str) else self.content


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a model.

    `max_tokens` None means the provider's default; `temperature` is 0 to 2; `stop` has up to four sequences that end the
    answer; `seed` makes answers repeatable if the provider supports it; `effort` is how much the model reasons, None for
    its default. `parameters` are further parameters of OpenAI's API (`top_p`, `response_format`, …), which a provider passes
    on if it knows them. `continues` is whether the last message is the beginning of the answer, of which only the rest is asked
    for; `sealed` is what was stored with it as `events.ReasoningSealed`. Raises `InvalidRequest` naming the field.
    """

    messages: Sequence[ModelMessage]
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    effort: Effort | None = None
    parameters: Mapping[str, Any] = {}
    continues: bool = False
    sealed: str | None = None

    def __post_init__(self) -> None:
        _check_messages(self.messages)
        if self.continues and self.messages[-1].role != "assistant":
            raise _invalid("messages", "must end with the answer that is continued")
        _check_number("max_tokens", self.max_tokens, int, 1, MAX_TOKENS)
        _check_number("temperature", self.temperature, (int, float), 0, MAX_TEMPERATURE)
        if self.effort is not None and self.effort not in get_args(Effort):
            raise _invalid("effort", f"must be one of {', '.join(get_args(Effort))}")
        _check_number("seed", self.seed, int, -(2**63), 2**63 - 1)
        if not isinstance(self.stop, tuple) or not all(isinstance(text, str) and text for text in self.stop):
            raise _invalid("stop", "must be a tuple of non-empty strings")
        if len(self.stop) > _MAX_STOP_SEQUENCES:
            raise _invalid("stop", f"may have at most {_MAX_STOP_SEQUENCES} strings")

    @property
    def system(self) -> str | None:
        """The system messages as one text, for providers with a separate field for it."""
        texts = [message.text for message in self.messages if message.role == "system"]
        return "\n\n".join(texts) or None

    @property
    def turns(self) -> list[ModelMessage]:
        """The messages except system messages."""
        return [message for message in self.messages if message.role != "system"]


def has_details(messages: Sequence[ModelMessage]) -> bool:
    """Return whether an image of the messages has a `detail`, which some providers do not know."""
    return any(isinstance(part, ImagePart) and part.detail for each in messages for part in each.parts)


def _check_messages(messages: object) -> None:
    if isinstance(messages, str) or not isinstance(messages, Sequence) or not messages:
        raise _invalid("messages", "must be a non-empty sequence of ModelMessage")
    for index, message in enumerate(messages):
        if not isinstance(message, ModelMessage):
            raise _invalid(f"messages[{index}]", "must be a ModelMessage")
        if message.role not in get_args(Role):
            raise _invalid(f"messages[{index}].role", f"must be one of {', '.join(get_args(Role))}")
        if not isinstance(message.content, (str, tuple)):
            raise _invalid(f"messages[{index}].content", "must be text or a tuple of parts")


def _check_number(
    name: str, value: object, kind: type | tuple[type, ...], minimum: float, maximum: float
) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, kind):
        raise _invalid(name, f"must be a number, not {type(value).__name__}")
    if not minimum <= value <= maximum:  # type: ignore[operator]
        raise _invalid(name, f"must be {minimum} to {maximum}, not {value}")


def _invalid(name: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{name} {reason}.", param=name, code="invalid_type")


class Usage(msgspec.Struct, frozen=True):
    """Token counts; `estimated` from the text if the provider did not report them.

    `cache_read_tokens` and `cache_write_tokens` are the parts of `input_tokens` that were read from the provider's prompt cache
    or written to it, which have prices of their own.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A source that the answer cites as `[n]`: a page that the provider has found, or a passage of a document.

    `source` is a page's http(s) address, or empty; a document's file name. Only a passage has the other fields: the id of its
    `document`, its `page` from 1 if that has pages, where it begins in the document's text (`start`, in characters), and how well it
    matches beside the best one (`score`, up to 1). Its `snippet` is its text.
    """

    n: int
    title: str = ""
    source: str = ""
    snippet: str = ""
    document: str = ""
    page: int | None = None
    start: int | None = None
    score: float | None = None


@dataclass(kw_only=True)
class ModelResponse:
    """An answer. It grows while it streams and is final when the call returns.

    `cost` is in US dollars, None if the price is unknown; `finish_reason` is None until the end.
    """

    model: str
    provider: str
    content: str = ""
    reasoning: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    finish_reason: FinishReason | None = None
    sources: tuple[Source, ...] = ()


_PARTS_PER_TOKEN = 20
# Parts of a token that a character has, by the first byte of its UTF-8 form, as (first, last, parts). Fitted to what OpenAI's
# `o200k_base` counts of prose, code and data, in the scripts that have more than a few speakers.
_PARTS_BY_BYTE = (
    (0x00, 0x7F, 10),  # ASCII, but for those below
    (0x09, 0x09, 2),
    (0x0A, 0x0A, 8),
    (0x0D, 0x0D, 2),
    (0x20, 0x20, 2),  # mostly a part of the next word's token
    (0x30, 0x39, 13),
    (0x41, 0x5A, 5),
    (0x61, 0x7A, 5),
    (0x80, 0xBF, 0),  # the further bytes of a character
    (0xC0, 0xCB, 10),  # Latin letters with marks
    (0xCC, 0xCD, 20),  # combining marks
    (0xCE, 0xCF, 9),  # Greek
    (0xD0, 0xD3, 6),  # Cyrillic
    (0xD4, 0xD7, 9),  # Armenian, Hebrew
    (0xD8, 0xDF, 8),  # Arabic
    (0xE0, 0xE0, 9),  # Devanagari and its kin, Thai
    (0xE1, 0xE1, 12),  # Vietnamese; Georgian, Khmer
    (0xE2, 0xE2, 20),  # typographic signs, symbols, dingbats
    (0xE3, 0xE3, 14),  # kana
    (0xE4, 0xE9, 20),  # Han
    (0xEA, 0xED, 14),  # Hangul
    (0xEE, 0xEF, 8),  # full-width signs, variation selectors
    (0xF0, 0xFF, 40),  # emoji, rare Han
)
_TOKENS_PER_IMAGE = 1_000
_TOKENS_PER_MESSAGE = 4


def _make_parts_table() -> bytes:
    parts = bytearray(256)
    for first, last, count in _PARTS_BY_BYTE:
        parts[first : last + 1] = bytes([count]) * (last + 1 - first)
    return bytes(parts)


_PARTS = _make_parts_table()


class TokenEstimator:
    """Estimates the tokens of a growing text from its characters: within a quarter of the real count for prose and code.

    It is too low for text that is not made of words, such as base64 (by half), and too high for long runs of one character.
    """

    def __init__(self) -> None:
        self._parts = 0

    def add(self, text: str) -> int:
        """Add a piece; return the estimate for the whole text, which does not depend on how it was cut."""
        self._parts += sum(text.encode(errors="surrogatepass").translate(_PARTS))
        return -(-self._parts // _PARTS_PER_TOKEN)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text; see `TokenEstimator`."""
    return TokenEstimator().add(text)


def estimate_input_tokens(request: ModelRequest) -> int:
    """Estimate the tokens of a request, with a flat rate per image."""
    total = 0
    for message in request.messages:
        images = sum(1 for part in message.parts if isinstance(part, ImagePart))
        total += _TOKENS_PER_MESSAGE + estimate_tokens(message.text) + images * _TOKENS_PER_IMAGE
    return total
