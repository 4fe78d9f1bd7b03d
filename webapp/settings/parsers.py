"""Parsers of one environment variable's text, named after what they return.

Each raises `ValueError` with a message that begins with "must" and does not repeat the text, which may be secret.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

PROVIDERS = ("openai", "anthropic", "ollama", "mock")
_URL_SECRETS = re.compile(r"(://)[^/\s]+(?=@)|([?&][^=&\s]+=)[^&\s]+")
_CONTROL_CHARS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SECONDS = re.compile(r"-?\d{1,9}", re.A)
_DURATION = re.compile(r"-?(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h)){1,4}", re.A)
_MAX_STARTERS, _MAX_STARTER_CHARS = 6, 120
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


def text(raw: str) -> str:
    """Return the text unchanged."""
    return raw


def unquote(raw: str) -> str:
    """Return a text without the quotes around it, which some readers of env files leave there."""
    is_quoted = len(raw) >= 2 and raw[0] == raw[-1] and raw[0] in "\"'" and raw[0] not in raw[1:-1]
    return raw[1:-1].strip() if is_quoted else raw


def api_key(raw: str) -> str:
    """Parse an API key. A badly pasted one must fail here: no HTTP header can carry it, so every call would fail."""
    raw = unquote(raw)
    if raw[:1] in ("'", '"') or raw[-1:] in ("'", '"'):
        raise ValueError("must be a key without a quote at one end")
    if not (raw.isascii() and raw.isprintable()) or " " in raw:
        raise ValueError("must be a key of printable ASCII characters, without spaces")
    return raw


def boolean(raw: str) -> bool:
    """Parse true or false, also written 1, yes, on, 0, no, off."""
    word = raw.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a parser of finite numbers from `low` to `high`."""

    def parse(raw: str) -> float:
        value = float(raw)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return value

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(raw: str) -> int:
        value = int(raw)
        if not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """Create a parser of one of these words, in any case."""

    def parse(raw: str) -> str:
        if raw.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return raw.lower()

    return parse


def provider(raw: str) -> str:
    """Parse the name of a provider."""
    if raw not in PROVIDERS:
        raise ValueError(f"must be one of {', '.join(PROVIDERS)}")
    return raw


def providers(raw: str) -> tuple[str, ...]:
    """Parse a list of `provider` or `provider/model`."""
    names = tuple(name.strip() for name in raw.split(",") if name.strip())
    for name in names:
        provider(name.partition("/")[0])
    return names


def _split(raw: str, form: str) -> SplitResult:
    try:
        parts = urlsplit(raw)
        if parts.hostname and (parts.port is None or parts.port > 0):
            return parts
    except ValueError:  # unmatched brackets, or a port that is not a number
        pass
    raise ValueError(f"must be {form}")


def url(raw: str) -> str:
    """Parse an http or https URL; trailing slashes are removed."""
    form = "a URL that begins with http:// or https://"
    if _split(raw, form).scheme not in ("http", "https"):
        raise ValueError(f"must be {form}")
    return raw.rstrip("/")


def database_url(raw: str) -> str:
    """Parse a Postgres URL as hosting platforms set it; a Unix socket is named in the query, `?host=/folder`."""
    form = "a Postgres URL, postgres://user:password@host/database"
    try:
        parts = urlsplit(raw)
        has_host = bool(parts.hostname) or "host=" in parts.query
        is_valid_port = parts.port is None or parts.port > 0
    except ValueError:  # an unescaped character in the password, or a port that is not a number
        raise ValueError(f"must be {form}; special characters must be percent-encoded") from None
    if parts.scheme not in ("postgres", "postgresql") or not (has_host and is_valid_port):
        raise ValueError(f"must be {form}")
    return raw


def redis_url(raw: str) -> str:
    """Parse a Redis URL as hosting platforms set it; its query may have `ssl_cert_reqs`, its path the number of a database."""
    form = "a Redis URL, redis://user:password@host:6379/0, or with rediss:// for TLS"
    try:
        parts = urlsplit(raw)
        is_valid_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # an unescaped character in the password, or a port that is not a number
        raise ValueError(f"must be {form}; special characters must be percent-encoded") from None
    is_valid_database = re.fullmatch(r"/?|/\d{1,5}", parts.path, re.A) and not parts.fragment
    if parts.scheme not in ("redis", "rediss") or not (is_valid_host and is_valid_database):
        raise ValueError(f"must be {form}")
    if parts.query and not (
        parts.scheme == "rediss" and parts.query in ("ssl_cert_reqs=none", "ssl_cert_reqs=required")
    ):
        raise ValueError(
            "must have no query but ?ssl_cert_reqs=none or ?ssl_cert_reqs=required, after rediss://"
        )
    return raw


def mask(url: str) -> str:
    """Replace what may be secret in a URL: the credentials, and the values in its query."""
    return _URL_SECRETS.sub(r"\1\2••••••", url)


def ollama_host(raw: str) -> str:
    """Parse OLLAMA_HOST as Ollama does: a URL, a host, or a host with a port."""
    if "://" in raw:
        return url(raw)
    parts = _split(f"//127.0.0.1{raw}" if raw.startswith(":") else f"//{raw}", "a host or a URL")
    host = parts.netloc.removesuffix(f":{parts.port}")
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{parts.port or 11434}"  # noqa: S104


def keep_alive(raw: str) -> int | str:
    """Parse a time as Ollama does: seconds as a number, or a duration such as `1h30m`; a negative one means for ever."""
    if _SECONDS.fullmatch(raw):
        return int(raw)
    if not _DURATION.fullmatch(raw):
        raise ValueError("must be a duration such as 30m or 1h30m, a number of seconds, or -1 for ever")
    return raw


def origins(raw: str) -> tuple[str, ...]:
    """Parse a list of origins, or `*`."""
    form = "origins such as https://example.org, separated by commas"
    found = tuple(origin.strip().rstrip("/").lower() for origin in raw.split(",") if origin.strip())
    for origin in found:
        if origin != "*" and (_split(origin, form).path or "://" not in origin):
            raise ValueError(f"must be {form}")
    return found


def networks(raw: str) -> tuple[str, ...]:
    """Parse a list of addresses and networks (`10.0.0.0/8`); `unix` stands for a Unix socket."""
    found = tuple(part.strip().lower() for part in raw.split(",") if part.strip())
    for part in found:
        if part != "unix":
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError:
                raise ValueError(
                    "must be addresses or networks such as 127.0.0.1 or 10.0.0.0/8, separated by commas"
                ) from None
    if not found:
        raise ValueError("must be addresses or networks such as 127.0.0.1 or 10.0.0.0/8, separated by commas")
    return found


def model_choice(raw: str) -> str:
    """Parse `priced` or `all`."""
    if raw not in ("priced", "all"):
        raise ValueError("must be priced or all")
    return raw


def readable_file(raw: str) -> str:
    """Parse the path of a readable file."""
    if not Path(raw).is_file() or not os.access(raw, os.R_OK):
        raise ValueError("must be the path of a readable file")
    return raw


def certificates(raw: str) -> str:
    """Parse the path of a PEM file.

    The certificates are not parsed: `ssl` must not be imported before gevent has patched it.
    """
    if b"-----BEGIN " not in Path(readable_file(raw)).read_bytes():
        raise ValueError("must be a PEM file of certificates")
    return raw


def starters(raw: str) -> tuple[str, ...]:
    """Parse starter questions; each run of white space becomes one space."""
    found = tuple(" ".join(part.split()) for part in raw.split("|") if part.strip())
    invalid = [
        question
        for question in found
        if len(question) > _MAX_STARTER_CHARS or _CONTROL_CHARS.search(question)
    ]
    if not 0 < len(found) <= _MAX_STARTERS or invalid:
        raise ValueError(
            f"must be 1 to {_MAX_STARTERS} questions of at most {_MAX_STARTER_CHARS} characters, "
            "separated by vertical bars"
        )
    return found


def format_value(value: object, separator: str = ",") -> str:
    """Return a value as the text that would set it."""
    match value:
        case None | ():
            return ""
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple():
            return separator.join(value)
        case _:
            return str(value)
