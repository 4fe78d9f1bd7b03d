"""Reads what a caller asks for, from JSON, a query string or a WebSocket message, into an order.

Every refusal names the field, and nothing reaches a provider before all of it is checked.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from webapp.access.principals import Principal
from webapp.chat import MOST_TEMPERATURE, MOST_TOKENS, ImagePart, ModelMessage, ModelRequest, Part, TextPart
from webapp.codecs.images import MOST_BYTES as MOST_IMAGE_BYTES
from webapp.codecs.images import TYPES as IMAGE_TYPES
from webapp.conversation import MOST_IMAGES, MOST_IMAGES_TOLD
from webapp.errors import Forbidden, InvalidRequest
from webapp.frames import encode, is_run, new_run
from webapp.routes.services import Services
from webapp.runs.run import Order
from webapp.seams import Catalog, Provider

_SALT = secrets.token_hex(16)
_MOST_MESSAGES = 2_000
_MOST_IMAGES_OF_PROGRAMS = 100
_DATA_URL = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,(.*)", re.DOTALL)
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


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a start, at any door; a field that is not listed is ignored."""

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
    parent: Name | msgspec.UnsetType | None = msgspec.UNSET  # null is a place: before the first message
    continue_: Name | None = msgspec.field(name="continue", default=None)
    images: Annotated[list[str], msgspec.Meta(max_length=MOST_IMAGES)] | None = None
    retrieve: bool | None = None
    orphan_s: Seconds | None = None


def read_json(raw: bytes, type_: type[Any], most_values: int = _MOST_VALUES) -> Any:
    """Read a JSON body as `type_`; raises `InvalidRequest` that names the field.

    One with far more objects and lists than any request needs is refused before it is read: that would hold up everybody.
    """
    if _may_hold_more(raw, most_values) and _may_hold_more(_STRINGS.sub(b"", raw), most_values):
        raise InvalidRequest("The body holds too many values.", param="body", code="too_many_values")
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.ValidationError as error:
        raise _named(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("The body is not JSON.", param="body", code="not_json") from None


def _may_hold_more(raw: bytes, most: int) -> bool:
    return raw.count(b"{") + raw.count(b"[") > most or raw.count(b",") > 10 * most


def read_words(words: Mapping[str, str]) -> Asked:
    """Read a query string; numbers are read out of their text."""
    try:
        return msgspec.convert(dict(words), Asked, strict=False)
    except msgspec.ValidationError as error:
        raise _named(error) from None


def _named(error: msgspec.ValidationError) -> InvalidRequest:
    text = str(error)
    place = _PLACE.search(text)
    param = place[1] if place and place[1] else "body"
    reason = _PLACE.sub("", text).replace("`", "")
    return InvalidRequest(f"{param}: {reason[:1].lower()}{reason[1:]}.", param=param, code="invalid_type")


def make_order(
    asked: Asked, services: Services, caller: Principal, *, orphan_s: float | None = None
) -> Order:
    """Check what is asked and make the engine's order of it.

    Raises `InvalidRequest`, `Forbidden` for a model that the caller may not use, and `TooLarge`.
    """
    check_run(asked.run)
    if asked.images:
        raise InvalidRequest("images go with a conversation.", param="images", code="no_conversation")
    chain = chain_for(asked, services, caller)
    request = ModelRequest(
        messages=_messages(asked),
        max_tokens=longest(asked, services, caller, chain[0]),
        temperature=asked.temperature,
        stop=stops(asked),
        seed=asked.seed,
    )
    _check_images(request.messages, services, caller)
    given = next(name for name in ("messages", "query", "prompt") if getattr(asked, name) is not None)
    services.limiter.check_question(caller, text_bytes(request.messages), given)
    services.catalog.check(chain[0], request)
    named = encode([chain[0].name, chain[0].model_name, request])
    return Order(
        run=asked.run or new_run(),
        owner=caller.owner,
        fingerprint=hashlib.sha256(named).hexdigest(),
        request=request,
        chain=[chain[0], *(link for link in chain[1:] if can(services.catalog, link, request))],
        orphan_s=orphan_time_s(asked, services, caller) if orphan_s is None else orphan_s,
        permit=lambda: services.limiter.start(caller),
    )


def chain_for(asked: Asked, services: Services, caller: Principal) -> Sequence[Provider]:
    """Return the provider that is asked for and its fallbacks, as far as the caller may use them.

    Raises `InvalidRequest` for one that there is not, and `Forbidden` for a model that is not for the caller.
    """
    catalog = services.catalog
    chain = catalog.resolve(asked.provider, asked.model)
    if services.limiter.allowance(caller).models == "all":
        return chain
    if not catalog.is_priced(chain[0]):
        raise Forbidden(
            f"{chain[0].model_name} is not for visitors here: its price is not known.",
            param="model",
            code="model_not_allowed",
        )
    return [link for link in chain if catalog.is_priced(link)]


def longest(asked: Asked, services: Services, caller: Principal, first: Provider) -> int | None:
    """Return how many tokens the answer may have; None where the provider's own setting is within the cap."""
    most = services.limiter.allowance(caller).max_tokens
    wanted = asked.max_completion_tokens or asked.max_tokens
    if wanted is not None:
        return min(wanted, most)
    return most if most < services.catalog.longest(first) else None


def orphan_time_s(asked: Asked, services: Services, caller: Principal) -> float:
    """Return after how many seconds without a reader the answer is stopped."""
    most = services.limiter.allowance(caller).orphan_s
    return most if asked.orphan_s is None else min(asked.orphan_s, most)


def text_bytes(messages: Iterable[ModelMessage]) -> int:
    """Return how many bytes the text of messages has, images apart."""
    return sum(len(message.text.encode(errors="replace")) for message in messages)


def _check_images(messages: Sequence[ModelMessage], services: Services, caller: Principal) -> None:
    """Refuse too many images, and their addresses: the provider would fetch them, from wherever it is."""
    most = MOST_IMAGES_TOLD if caller.kind == "visitor" else _MOST_IMAGES_OF_PROGRAMS
    shown = 0
    for index, message in enumerate(messages):
        for part in message.parts:
            if not isinstance(part, ImagePart):
                continue
            shown += 1
            if part.url and not services.image_urls:
                raise InvalidRequest(
                    "The addresses of images are not passed on here: send the image itself, as a data URL.",
                    param=f"messages[{index}].content",
                    code="image_url_not_allowed",
                )
            if shown > most:
                raise InvalidRequest(
                    f"A request may have {most} images.",
                    param=f"messages[{index}].content",
                    code="too_many_images",
                )


def check_run(name: str | None) -> None:
    """Refuse a run's name of another form."""
    if name is not None and not is_run(name):
        raise InvalidRequest("run must be 22 characters of A-Z a-z 0-9 - _", param="run", code="bad_run")


def stops(asked: Asked) -> tuple[str, ...]:
    """Read the sequences that end an answer, of which one need not be in a list."""
    return (asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ())


def can(catalog: Catalog, provider: Provider, request: ModelRequest) -> bool:
    """Tell whether a provider's model can do what is asked."""
    try:
        catalog.check(provider, request)
    except InvalidRequest:
        return False
    return True


def run_of_key(key: str, owner: str | None, address: str) -> str:
    """Turn an Idempotency-Key into the run it stands for; keys of two owners never meet.

    An anonymous caller has no name, so the address it asks from stands for it. Whoever knows an anonymous run's name may
    read it, so nobody else may be able to work it out: a process has a salt of its own.
    """
    scope = owner or f"address:{_SALT}:{address}"
    digest = hashlib.sha256(f"{len(scope)}:{scope}:{key}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _messages(asked: Asked) -> tuple[ModelMessage, ...]:
    given = [name for name in ("query", "prompt", "messages") if getattr(asked, name) is not None]
    if not given:
        raise InvalidRequest("Nothing is asked: send query or messages.", param="query", code="nothing_asked")
    if len(given) > 1:
        raise InvalidRequest(f"Send either {given[0]} or {given[1]}.", param=given[1], code="asked_twice")
    messages = [ModelMessage.system(asked.system)] if asked.system else []
    if asked.messages is None:
        text = asked.query if asked.query is not None else asked.prompt
        if not text or not text.strip():
            raise InvalidRequest(f"{given[0]} is empty.", param=given[0], code="empty")
        return (*messages, ModelMessage.user(text))
    messages += [_message(index, message) for index, message in enumerate(asked.messages)]
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
        return _image(place, part.image_url.url, None, None)
    if part.type == "image" and (part.data or part.url):
        return _image(place, part.url, part.media_type, part.data)
    raise InvalidRequest(f"{place} must be text or an image", param=place, code="bad_part")


def read_data_url(place: str, url: str) -> tuple[str, bytes]:
    """Read an image's type and bytes out of a data URL. Raises `InvalidRequest` that names the place."""
    inline = _DATA_URL.fullmatch(url)
    if inline is None or inline[1] not in IMAGE_TYPES:
        raise InvalidRequest(
            f"{place} must be a data URL of one of {', '.join(IMAGE_TYPES)}", param=place, code="bad_image"
        )
    try:
        return inline[1], base64.b64decode(inline[2], validate=True)
    except ValueError:
        raise InvalidRequest(f"{place} is not base64", param=place, code="bad_image") from None


def _image(place: str, url: str | None, media_type: str | None, data: str | None) -> ImagePart:
    inline = _DATA_URL.fullmatch(url or "")
    if inline:
        media_type, data, url = inline[1], inline[2], None
    if data is not None:
        if media_type not in IMAGE_TYPES:
            raise InvalidRequest(
                f"{place} must be one of {', '.join(IMAGE_TYPES)}", param=place, code="bad_image"
            )
        try:
            image = base64.b64decode(data, validate=True)
        except ValueError:
            image = b""
        if not image:
            raise InvalidRequest(f"{place} is not base64", param=place, code="bad_image")
        if len(image) > MOST_IMAGE_BYTES:
            raise InvalidRequest(f"{place} is larger than 2 MB", param=place, code="image_too_large")
        return ImagePart(media_type=media_type, data=data)
    if url and url.startswith(("http://", "https://")):
        return ImagePart(url=url)
    raise InvalidRequest(f"{place} must be data or an http address", param=place, code="bad_image")
