"""What a chat is made of: messages with their parts, a request, a response, and what it used.

Values only: nothing here knows a provider, a wire or a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args

import msgspec

from webapp.errors import InvalidRequest

Role = Literal["system", "user", "assistant"]
MOST_TOKENS = 1_000_000
MOST_TEMPERATURE = 2
_MOST_STOPS = 4
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "cancelled"]


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """A piece of text in a message."""

    text: str


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image", kw_only=True):
    """An image in a message: either `data` (base64, with its `media_type`) or a `url` (http or https)."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None


Part = TextPart | ImagePart
Content = str | tuple[Part, ...]


class ModelMessage(msgspec.Struct, frozen=True):
    """One message of a conversation. `content` is text, or a tuple of parts."""

    role: Role
    content: Content

    @classmethod
    def user(cls, content: str | Sequence[Part]) -> ModelMessage:
        """Make a message that a person wrote."""
        return cls("user", content if isinstance(content, str) else tuple(content))

    @classmethod
    def assistant(cls, content: str) -> ModelMessage:
        """Make a message that a model wrote."""
        return cls("assistant", content)

    @classmethod
    def system(cls, content: str) -> ModelMessage:
        """Make an instruction that stands above the conversation."""
        return cls("system", content)

    @property
    def text(self) -> str:
        """All text of the message, its parts joined by a newline."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts, also where it is plain text."""
        return (TextPart(self.content),) if isinstance(self.content, str) else self.content


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a model.

    `max_tokens` None means the provider's own setting, `temperature` is 0 to 2, `stop` holds up to four
    sequences that end the answer, and `seed` asks for a repeatable one where the provider can. Raises
    `InvalidRequest` that names the field.
    """

    messages: Sequence[ModelMessage]
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        _check_messages(self.messages)
        _check_number("max_tokens", self.max_tokens, int, 1, MOST_TOKENS)
        _check_number("temperature", self.temperature, (int, float), 0, MOST_TEMPERATURE)
        _check_number("seed", self.seed, int, -(2**63), 2**63 - 1)
        if not isinstance(self.stop, tuple) or not all(isinstance(one, str) and one for one in self.stop):
            raise _invalid("stop", "must be a tuple of texts")
        if len(self.stop) > _MOST_STOPS:
            raise _invalid("stop", f"must hold at most {_MOST_STOPS} texts")

    @property
    def system(self) -> str | None:
        """All system messages in one text, for providers that keep it apart."""
        texts = [message.text for message in self.messages if message.role == "system"]
        return "\n\n".join(texts) or None

    @property
    def turns(self) -> list[ModelMessage]:
        """The messages without the system's."""
        return [message for message in self.messages if message.role != "system"]


def _check_messages(messages: object) -> None:
    if isinstance(messages, str) or not isinstance(messages, Sequence) or not messages:
        raise _invalid("messages", "must be a sequence of ModelMessage, and not empty")
    for index, message in enumerate(messages):
        if not isinstance(message, ModelMessage):
            raise _invalid(f"messages[{index}]", "must be a ModelMessage")
        if message.role not in get_args(Role):
            raise _invalid(f"messages[{index}].role", f"must be one of {', '.join(get_args(Role))}")
        if not isinstance(message.content, (str, tuple)):
            raise _invalid(f"messages[{index}].content", "must be text or a tuple of parts")


def _check_number(name: str, value: object, kind: type | tuple[type, ...], least: float, most: float) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, kind):
        raise _invalid(name, f"must be a number, not {type(value).__name__}")
    if not least <= value <= most:  # type: ignore[operator]
        raise _invalid(name, f"must be {least} to {most}, not {value}")


def _invalid(name: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{name} {reason}.", param=name, code="invalid_type")


class Usage(msgspec.Struct, frozen=True):
    """Tokens used; `estimated` when the provider did not say and we counted characters instead."""

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False


@dataclass(kw_only=True)
class ModelResponse:
    """An answer, growing while it streams and final when the call returns.

    `cost` is in US dollars and None where the price is unknown; `finish_reason` is None until the end.
    """

    model: str
    provider: str
    content: str = ""
    reasoning: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    finish_reason: FinishReason | None = None


_CHARS_PER_TOKEN = 4
_TOKENS_PER_IMAGE = 1_000
_TOKENS_PER_MESSAGE = 4


class TokenGuess:
    """Guesses how many tokens a growing text has: four characters each in Latin script, one each in CJK."""

    def __init__(self) -> None:
        self._narrow = 0
        self._wide = 0

    def add(self, text: str) -> int:
        """Grow by a piece; returns the guess for the whole, the same however the text was cut."""
        wide = 0 if text.isascii() else sum(1 for char in text if char >= "\u2e80")
        self._wide += wide
        self._narrow += len(text) - wide
        return (self._narrow + _CHARS_PER_TOKEN - 1) // _CHARS_PER_TOKEN + self._wide


def estimate_tokens(text: str) -> int:
    """Guess how many tokens a text has; see `TokenGuess`."""
    return TokenGuess().add(text)


def estimate_input_tokens(request: ModelRequest) -> int:
    """Guess how many tokens a request has, images at a flat rate."""
    total = 0
    for message in request.messages:
        images = sum(1 for part in message.parts if isinstance(part, ImagePart))
        total += _TOKENS_PER_MESSAGE + estimate_tokens(message.text) + images * _TOKENS_PER_IMAGE
    return total
