"""The body of a request that starts a run, from JSON or a query string: its shape, and the checks of its fields alone.

Every error names the field. What a request refers to (models, conversations, images) is read in `start_run.py`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from webapp.api.image_upload import read_image
from webapp.chat import MOST_TEMPERATURE, MOST_TOKENS, ImagePart, ModelMessage, Part, TextPart
from webapp.conversation import MOST_IMAGES
from webapp.errors import InvalidRequest
from webapp.frames import is_run

_SALT = secrets.token_hex(16)
_MOST_MESSAGES = 2_000
_ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
}
_MOST_VALUES = 20_000
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PLACE = re.compile(r" - at `\$\.?(.*?)`$")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=MOST_TOKENS)]
Temperature = Annotated[float, msgspec.Meta(ge=0, le=MOST_TEMPERATURE)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Stop = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _ImageUrl(msgspec.Struct, frozen=True):
    url: str


class _Part(msgspec.Struct, frozen=True):
    type: str
    text: str | None = None
    image_url: _ImageUrl | None = None
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class _Message(msgspec.Struct, frozen=True):
    role: str = "user"
    content: str | list[_Part] | None = None
    text: str | None = None


class StartBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request that starts a run, at any endpoint; unknown fields are ignored."""

    query: str | None = None
    prompt: str | None = None
    messages: Annotated[list[_Message], msgspec.Meta(max_length=_MOST_MESSAGES)] | None = None
    run: str | None = None
    system: str | None = None
    provider: Name | None = None
    model: Name | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: Temperature | None = None
    stop: Stop | Annotated[list[Stop], msgspec.Meta(max_length=4)] | None = None
    seed: int | None = None
    conversation: Name | None = None
    parent: Name | msgspec.UnsetType | None = msgspec.UNSET  # null: before the first message
    continue_: Name | None = msgspec.field(name="continue", default=None)
    images: Annotated[list[str], msgspec.Meta(max_length=MOST_IMAGES)] | None = None
    retrieve: bool | None = None
    orphan_s: Seconds | None = None


def read_json(raw: bytes, type_: type[Any], most_values: int = _MOST_VALUES) -> Any:
    """Return a JSON body as `type_`; raises `InvalidRequest` that names the field.

    A body of far more values than any request needs is refused before it is decoded, which would delay everybody.
    """
    if _may_hold_more(raw, most_values) and _may_hold_more(_STRINGS.sub(b"", raw), most_values):
        raise InvalidRequest("The body holds too many values.", param="body", code="too_many_values")
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("The body is not JSON.", param="body", code="not_json") from None


def _may_hold_more(raw: bytes, most: int) -> bool:
    return raw.count(b"{") + raw.count(b"[") > most or raw.count(b",") > 10 * most


def read_query(query: Mapping[str, str]) -> StartBody:
    """Return the body that a query string stands for, its numbers parsed. Raises `InvalidRequest`."""
    try:
        return msgspec.convert(dict(query), StartBody, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: msgspec.ValidationError) -> InvalidRequest:
    text = str(error)
    place = _PLACE.search(text)
    param = place[1] if place and place[1] else "body"
    reason = _PLACE.sub("", text).replace("`", "")
    return InvalidRequest(f"{param}: {reason[:1].lower()}{reason[1:]}.", param=param, code="invalid_type")


def check_run(run: str | None) -> None:
    """Check the form of a run id. Raises `InvalidRequest`."""
    if run is not None and not is_run(run):
        raise InvalidRequest("run must be 22 characters of A-Z a-z 0-9 - _", param="run", code="bad_run")


def is_turn(body: StartBody) -> bool:
    """Return whether a request belongs to a conversation."""
    return body.conversation is not None or body.continue_ is not None


def check_turn(body: StartBody) -> None:
    """Check the fields of a request that belongs to a conversation. Raises `InvalidRequest`."""
    check_run(body.run)
    if body.conversation is not None and not is_run(body.conversation):
        raise InvalidRequest(
            "conversation must be 22 characters of A-Z a-z 0-9 - _",
            param="conversation",
            code="bad_conversation",
        )
    for field in ("messages", "prompt"):
        if getattr(body, field) is not None:
            raise InvalidRequest(
                f"Send query with a conversation: its messages are known, so {field} is not needed.",
                param=field,
                code="asked_twice",
            )
    asks = body.query is not None or bool(body.images)
    if body.query is not None and not body.query.strip() and not body.images:
        raise InvalidRequest("query is empty.", param="query", code="empty")
    if body.continue_ is not None:
        if asks or body.parent is not msgspec.UNSET:
            raise InvalidRequest(
                "continue stands alone: send no query, images or parent with it.",
                param="continue",
                code="asked_twice",
            )
    elif not asks and (body.parent is msgspec.UNSET or body.parent is None):
        raise InvalidRequest(
            "Nothing is asked: send query, or parent to have a question answered again.",
            param="query",
            code="nothing_asked",
        )


def stop_sequences(body: StartBody) -> tuple[str, ...]:
    """Return the sequences that end an answer; a single one need not be in a list."""
    return (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())


def wanted_tokens(body: StartBody) -> int | None:
    """Return the longest answer that a request asks for, by either of its two names."""
    return body.max_completion_tokens or body.max_tokens


def run_for_key(key: str, owner: str | None, address: str) -> str:
    """Return the run id that an Idempotency-Key stands for; two owners never share one.

    A caller without a name is told apart by its address. Whoever knows the id of an anonymous run may read it, so the
    id must not be guessable: each process adds a salt of its own.
    """
    scope = owner or f"address:{_SALT}:{address}"
    digest = hashlib.sha256(f"{len(scope)}:{scope}:{key}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def messages_of(body: StartBody) -> tuple[ModelMessage, ...]:
    """Return the messages of a request without a conversation. Raises `InvalidRequest`."""
    given = [name for name in ("query", "prompt", "messages") if getattr(body, name) is not None]
    if not given:
        raise InvalidRequest("Nothing is asked: send query or messages.", param="query", code="nothing_asked")
    if len(given) > 1:
        raise InvalidRequest(f"Send either {given[0]} or {given[1]}.", param=given[1], code="asked_twice")
    messages = [ModelMessage.system(body.system)] if body.system else []
    if body.messages is None:
        text = body.query if body.query is not None else body.prompt
        if not text or not text.strip():
            raise InvalidRequest(f"{given[0]} is empty.", param=given[0], code="empty")
        return (*messages, ModelMessage.user(text))
    messages += [_message(index, message) for index, message in enumerate(body.messages)]
    if not any(message.role == "user" for message in messages):
        raise InvalidRequest("messages holds no question.", param="messages", code="empty")
    return tuple(messages)


def _message(index: int, message: _Message) -> ModelMessage:
    place = f"messages[{index}]"
    role = _ROLES.get(message.role)
    if role is None:
        raise InvalidRequest(
            f"{place}.role must be user, assistant or system", param=f"{place}.role", code="bad_role"
        )
    content = message.content if message.content is not None else message.text
    if isinstance(content, list):
        parts = tuple(_part(f"{place}.content[{number}]", part) for number, part in enumerate(content))
        if any(isinstance(part, ImagePart) for part in parts):
            return ModelMessage(role, parts)
        content = "\n".join(part.text for part in parts if isinstance(part, TextPart))
    if content and content.strip():
        return ModelMessage(role, content)
    raise InvalidRequest(f"{place}.content is empty.", param=f"{place}.content", code="empty")


def _part(place: str, part: _Part) -> Part:
    if part.type in ("text", "input_text") and part.text is not None:
        return TextPart(part.text)
    if part.type == "image_url" and part.image_url is not None:
        return read_image(place, part.image_url.url, None, None)
    if part.type == "image" and (part.data or part.url):
        return read_image(place, part.url, part.media_type, part.data)
    raise InvalidRequest(f"{place} must be text or an image", param=place, code="bad_part")
