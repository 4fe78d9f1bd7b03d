"""Parses and checks the body of a request that starts a run, from JSON or a query string.

Every error names the field. `start_run.py` loads what the fields refer to: models, conversations, images.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from webapp.api.image_upload import read_image
from webapp.chat import MAX_TEMPERATURE, MAX_TOKENS, Effort, ImagePart, ModelMessage, Part, TextPart
from webapp.conversation import MAX_IMAGES
from webapp.errors import InvalidRequest
from webapp.frames import is_run_id

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SALT = secrets.token_hex(16)
_MAX_MESSAGES = 2_000
ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
}
_REASONING_PARTS = ("thinking", "redacted_thinking", "reasoning")
MAX_VALUES = 20_000
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_FIELD_PATH = re.compile(r" - at `\$\.?(.*?)`$")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=MAX_TOKENS)]
Temperature = Annotated[float, msgspec.Meta(ge=0, le=MAX_TEMPERATURE)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Stop = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class RequestImageUrl(msgspec.Struct, frozen=True):
    """An image of a message in OpenAI's form: a data URL, or an http URL where the server allows them."""

    url: str


class RequestPart(msgspec.Struct, frozen=True):
    """A part of a message: `text`, `image_url` (OpenAI), or `image` with `media_type` and `data` or a `url`."""

    type: str
    text: str | None = None
    image_url: RequestImageUrl | None = None
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class RequestMessage(msgspec.Struct, frozen=True):
    """A message of a request; `text` is read where `content` is missing."""

    role: str = "user"
    content: str | list[RequestPart] | None = None
    text: str | None = None


class StartBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request that starts a run, at any endpoint; unknown fields are ignored."""

    query: str | None = None
    prompt: str | None = None
    messages: Annotated[Sequence[RequestMessage], msgspec.Meta(max_length=_MAX_MESSAGES)] | None = None
    run: str | None = None
    system: str | None = None
    provider: Name | None = None
    model: Name | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: Temperature | None = None
    stop: Stop | Annotated[list[Stop], msgspec.Meta(max_length=4)] | None = None
    seed: int | None = None
    effort: Effort | None = None
    reasoning_effort: Effort | Literal["minimal"] | None = None  # OpenAI's name for it
    conversation: Name | None = None
    parent: Name | msgspec.UnsetType | None = msgspec.UNSET  # null: before the first message
    at_leaf: bool | None = (
        None  # ask below the newest message under `parent`, which the client may not have seen
    )
    continue_: Name | None = msgspec.field(name="continue", default=None)
    images: Annotated[list[str], msgspec.Meta(max_length=MAX_IMAGES)] | None = None
    retrieve: bool | None = None
    collection: Name | Annotated[list[Name], msgspec.Meta(min_length=1, max_length=20)] | None = None
    orphan_s: Seconds | None = None


def read_json(raw: bytes, type_: type[Any], max_values: int = MAX_VALUES) -> Any:
    """Decode a JSON body as `type_`. Raises `InvalidRequest` that names the field.

    A body with far more values than any request needs is refused undecoded: decoding it would block the event loop.
    """
    check_value_count(raw, max_values)
    try:
        return msgspec.json.decode(raw.removeprefix(_BYTE_ORDER_MARK), type=type_)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("The body is not JSON.", param="body", code="not_json") from None


def check_value_count(raw: bytes, max_values: int) -> None:
    """Raise `InvalidRequest` for a body with more values than any request needs."""
    if _may_exceed(raw, max_values) and _may_exceed(_STRINGS.sub(b"", raw), max_values):
        raise InvalidRequest("The body has too many JSON values.", param="body", code="too_many_values")


def _may_exceed(raw: bytes, max_values: int) -> bool:
    return raw.count(b"{") + raw.count(b"[") > max_values or raw.count(b",") > 10 * max_values


def read_query(query: Mapping[str, str]) -> StartBody:
    """Convert a query string to a body; numbers are parsed from text. Raises `InvalidRequest` that names the field."""
    try:
        return msgspec.convert(dict(query), StartBody, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: msgspec.ValidationError) -> InvalidRequest:
    text = str(error)
    path = _FIELD_PATH.search(text)
    param = path[1] if path and path[1] else "body"
    reason = _FIELD_PATH.sub("", text).replace("`", "")
    return InvalidRequest(f"{param}: {reason[:1].lower()}{reason[1:]}.", param=param, code="invalid_type")


def check_run_id(run: str | None) -> None:
    """Check the form of a run id. Raises `InvalidRequest`."""
    if run is not None and not is_run_id(run):
        raise InvalidRequest("run must be 22 characters of A-Z a-z 0-9 - _.", param="run", code="bad_run")


def is_turn(body: StartBody) -> bool:
    """Return whether a request belongs to a conversation."""
    return body.conversation is not None or body.continue_ is not None


def check_turn(body: StartBody) -> None:
    """Check the fields of a request that belongs to a conversation. Raises `InvalidRequest`."""
    check_run_id(body.run)
    if body.conversation is not None and not is_run_id(body.conversation):
        raise InvalidRequest(
            "conversation must be 22 characters of A-Z a-z 0-9 - _.",
            param="conversation",
            code="bad_conversation",
        )
    for field in ("messages", "prompt"):
        if getattr(body, field) is not None:
            raise InvalidRequest(
                f"Leave out {field}: the messages of a conversation are stored, so send only the new query.",
                param=field,
                code="asked_twice",
            )
    has_question = body.query is not None or bool(body.images)
    if body.at_leaf and not (has_question and isinstance(body.parent, str)):
        raise InvalidRequest(
            "at_leaf needs a new query and its parent: send both, or leave it out.",
            param="at_leaf",
            code="no_parent",
        )
    if body.query is not None and not body.query.strip() and not body.images:
        raise InvalidRequest("query is empty.", param="query", code="empty")
    if body.continue_ is not None:
        if has_question or body.parent is not msgspec.UNSET:
            raise InvalidRequest(
                "continue cannot be combined with query, images or parent: leave them out.",
                param="continue",
                code="asked_twice",
            )
    elif not has_question and (body.parent is msgspec.UNSET or body.parent is None):
        raise InvalidRequest(
            "The question is missing: send query, or parent to answer an earlier question again.",
            param="query",
            code="nothing_asked",
        )


def stop_sequences(body: StartBody) -> tuple[str, ...]:
    """Return the stop sequences as a tuple; a request may send a single string."""
    return (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())


def requested_collections(body: StartBody) -> tuple[str, ...]:
    """Return the names of the collections to search; a request may send a single one."""
    return (body.collection,) if isinstance(body.collection, str) else tuple(body.collection or ())


def requested_tokens(body: StartBody) -> int | None:
    """Return the requested maximum of answer tokens, from either of the two fields; None if neither is set."""
    return body.max_completion_tokens or body.max_tokens


def requested_effort(body: StartBody) -> Effort | None:
    """Return how much the model is to reason, from either of the two fields; OpenAI's `minimal` is our `low`."""
    if body.effort is not None or body.reasoning_effort is None:
        return body.effort
    return "low" if body.reasoning_effort == "minimal" else body.reasoning_effort


def derive_run_id(key: str, owner: str | None, address: str) -> str:
    """Derive a run id from an Idempotency-Key. The same key of two owners gives two ids.

    A caller without an owner is scoped by its address. Anybody who knows the id of an anonymous run may read it, so
    such ids are salted per process and cannot be guessed.
    """
    scope = owner or f"address:{_SALT}:{address}"
    digest = hashlib.sha256(f"{len(scope)}:{scope}:{key}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def read_messages(body: StartBody) -> tuple[ModelMessage, ...]:
    """Return the model messages of a request without a conversation. Raises `InvalidRequest`."""
    given = [name for name in ("query", "prompt", "messages") if getattr(body, name) is not None]
    if not given:
        raise InvalidRequest(
            "The question is missing: send query or messages.", param="query", code="nothing_asked"
        )
    if len(given) > 1:
        raise InvalidRequest(
            f"Send either {given[0]} or {given[1]}, not both.", param=given[1], code="asked_twice"
        )
    messages = [ModelMessage.system(body.system)] if body.system else []
    if body.messages is None:
        text = body.query if body.query is not None else body.prompt
        if not text or not text.strip():
            raise InvalidRequest(f"{given[0]} is empty.", param=given[0], code="empty")
        return (*messages, ModelMessage.user(text))
    messages += [_message(index, message) for index, message in enumerate(body.messages)]
    if not any(message.role == "user" for message in messages):
        raise InvalidRequest(
            "messages must contain at least one message of the user.", param="messages", code="empty"
        )
    return tuple(messages)


def _message(index: int, message: RequestMessage) -> ModelMessage:
    field = f"messages[{index}]"
    role = ROLES.get(message.role)
    if role is None:
        raise InvalidRequest(
            f"{field}.role must be user, assistant or system.", param=f"{field}.role", code="bad_role"
        )
    content = message.content if message.content is not None else message.text
    if isinstance(content, list):
        parts = tuple(
            _part(f"{field}.content[{number}]", part)
            for number, part in enumerate(content)
            if not is_reasoning(role, part)
        )
        if any(isinstance(part, ImagePart) for part in parts):
            return ModelMessage(role, parts)
        content = "\n".join(part.text for part in parts if isinstance(part, TextPart))
    if content and content.strip():
        return ModelMessage(role, content)
    raise InvalidRequest(f"{field}.content is empty.", param=f"{field}.content", code="empty")


def is_reasoning(role: str, part: RequestPart) -> bool:
    """Return whether a part is reasoning of an earlier answer, which is never sent back: it belongs to the model that made it."""
    return ROLES.get(role) == "assistant" and part.type in _REASONING_PARTS


def _part(field: str, part: RequestPart) -> Part:
    if part.type in ("text", "input_text") and part.text is not None:
        return TextPart(part.text)
    if part.type == "image_url" and part.image_url is not None:
        return read_image(field, part.image_url.url, None, None)
    if part.type == "image" and (part.data or part.url):
        return read_image(field, part.url, part.media_type, part.data)
    raise InvalidRequest(f"{field} must be text, image_url or image.", param=field, code="bad_part")
