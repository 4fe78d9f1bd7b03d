"""Publishable keys: what a site owner puts into a page, the sites that may use one, and what it decides for its visitors."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from webapp.chat import MAX_TEMPERATURE, MAX_TOKENS, Effort
from webapp.errors import InvalidRequest

PREFIX = "fpk_"
MAX_ORIGINS = 50
_TOKEN = re.compile(r"fpk_[A-Za-z0-9]{22}")
# A scheme, a host name or an address, and perhaps a port; `*.` stands for one or more labels below a name.
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<wildcard>\*\.)?(?P<host>[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?P<port>:[1-9][0-9]{0,4})?"
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]

Language = Literal["en", "de", "fr", "es", "zh", "ar"]


class KeyProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key decides for the visitors of its sites. What is missing is the server's default.

    `models` are tried in order: the first that the server offers answers. `collections` are searched for each question.
    `answers` at once and `starts` a minute are of one visitor, `answers_per_day` of all together. Conversations are deleted
    `retention_days` after their last change. With `signed_only` only visitors whom the site has signed in are admitted.
    `greeting`, `suggestions`, `language` and `privacy_url` are for the chat on the site.
    """

    system: Annotated[str, msgspec.Meta(max_length=20_000, pattern=r"^[^\x00]*$")] | None = None
    models: Annotated[list[Name], msgspec.Meta(max_length=20)] = []
    effort: Effort | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=MAX_TEMPERATURE)] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=MAX_TOKENS)] | None = None
    collections: Annotated[list[Name], msgspec.Meta(max_length=20)] = []
    greeting: Text | None = None
    suggestions: Annotated[list[Text], msgspec.Meta(max_length=8)] = []
    language: Language | None = None
    privacy_url: Annotated[str, msgspec.Meta(max_length=2_000, pattern=r"^https?://[^\s\"<>]+$")] | None = (
        None
    )
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] | None = None
    answers: Count | None = None
    starts: Count | None = None
    answers_per_day: Count | None = None
    signed_only: bool = False


class KeyValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a key; a rotated key has two for a while. Times are milliseconds since 1970.

    `sealed_secret` is the secret that signs visitors, encrypted. `expires_at` None: it is valid until the key is revoked.
    """

    token: str
    sealed_secret: str
    created_at: int
    expires_at: int | None = None

    def is_valid(self, now_ms: int) -> bool:
        """Return whether it may be used."""
        return self.expires_at is None or now_ms < self.expires_at


class PublishableKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its values, the newest first. `origins` are in the form that `parse_origin` returns; none: nobody may use it."""

    id: str
    name: str
    origins: tuple[str, ...]
    profile: KeyProfile
    values: tuple[KeyValue, ...]
    created_at: int

    def value(self, token: str, now_ms: int) -> KeyValue | None:
        """Return the valid value with this token."""
        return next((each for each in self.values if each.token == token and each.is_valid(now_ms)), None)

    def admits(self, origin: str) -> bool:
        """Return whether a site may use the key, by its `Origin` header."""
        return is_listed(origin, self.origins)


def owner_prefix_of(key_id: str) -> str:
    """Return how the names of the owners begin who are visitors of a key."""
    return f"key:{key_id}."


def is_token(text: str) -> bool:
    """Return whether a text has the form of a publishable key."""
    return _TOKEN.fullmatch(text) is not None


def parse_origin(text: str, param: str) -> str:
    """Return an origin without its scheme's own port, in small letters. Raises `InvalidRequest`, naming the field `param`."""
    found = _ORIGIN.fullmatch(text.strip().lower().removesuffix("/"))
    if found is None or (found["wildcard"] and ("." not in found["host"] or found["host"][-1].isdigit())):
        raise InvalidRequest(
            f"{param}: {text[:100]!r} is no origin: write https://example.com, or https://*.example.com for all names below.",
            param=param,
            code="bad_origin",
        )
    port = found["port"] or ""
    port = "" if port == _DEFAULT_PORTS[found["scheme"]] else port
    return f"{found['scheme']}://{found['wildcard'] or ''}{found['host']}{port}"


def is_listed(origin: str, listed: Collection[str]) -> bool:
    """Return whether an `Origin` header is among listed origins, exactly, or by a leading `*.`."""
    scheme, separator, host = origin.lower().partition("://")
    if not separator or origin == "null":
        return False
    if origin.lower() in listed:
        return True
    name = host
    while "." in name:
        name = name.partition(".")[2]
        if f"{scheme}://*.{name}" in listed:
            return True
    return False


def read_profile(fields: Mapping[str, object]) -> KeyProfile:
    """Convert JSON to a profile. Raises `InvalidRequest` that names the field."""
    try:
        return msgspec.convert(fields, KeyProfile)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".") or "profile"
        raise InvalidRequest(f"{field}: {reason}.", param=field, code="bad_profile") from None


def read_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Parse the origins of a key. Raises `InvalidRequest`."""
    if len(origins) > MAX_ORIGINS:
        raise InvalidRequest(
            f"origins: at most {MAX_ORIGINS}.", param="origins", code="too_many_origins", limit=MAX_ORIGINS
        )
    return tuple(dict.fromkeys(parse_origin(each, "origins") for each in origins))
