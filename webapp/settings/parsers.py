"""How the text of one environment variable is read; a wrong one raises `ValueError`, "must be …"."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

PROVIDERS = ("openai", "anthropic", "ollama", "mock")
_IN_ADDRESS = re.compile(r"(://)[^/\s]+(?=@)|([?&][^=&\s]+=)[^&\s]+")
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST_STARTERS, _MOST_STARTER_CHARS = 6, 120
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


def text(raw: str) -> str:
    """Take it as it is."""
    return raw


def key(raw: str) -> str:
    """Read a key that goes into a header: one that was pasted badly would fail at every call."""
    if not (raw.isascii() and raw.isprintable()) or " " in raw:
        raise ValueError("must be a key: letters, digits and signs, without spaces")
    return raw


def flag(raw: str) -> bool:
    """Read true or false, in the words that people use."""
    word = raw.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def number(low: float, high: float) -> Callable[[str], float]:
    """Make a reader of numbers within bounds."""

    def parse(raw: str) -> float:
        value = float(raw)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of whole numbers within bounds."""

    def parse(raw: str) -> int:
        value = int(raw)
        if not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return parse


def provider(raw: str) -> str:
    """Read the name of a provider."""
    if raw not in PROVIDERS:
        raise ValueError(f"must be one of {', '.join(PROVIDERS)}")
    return raw


def providers(raw: str) -> tuple[str, ...]:
    """Read a list of `provider` or `provider/model`."""
    names = tuple(name.strip() for name in raw.split(",") if name.strip())
    for name in names:
        provider(name.partition("/")[0])
    return names


def _split(raw: str, form: str) -> SplitResult:
    try:
        parts = urlsplit(raw)
        if parts.hostname and (parts.port is None or parts.port > 0):
            return parts
    except ValueError:  # brackets that do not match, a port that is no number
        pass
    raise ValueError(f"must be {form}")


def url(raw: str) -> str:
    """Read an http or https address; it has no slash at its end then."""
    form = "an address that begins with http:// or https://"
    if _split(raw, form).scheme not in ("http", "https"):
        raise ValueError(f"must be {form}")
    return raw.rstrip("/")


def database(raw: str) -> str:
    """Read the address of a Postgres, as hosts write it; one in a socket's folder names it in its query."""
    form = "the address of a Postgres, postgres://user:password@host/database"
    try:
        parts = urlsplit(raw)
        named = bool(parts.hostname) or "host=" in parts.query
        fine = parts.port is None or parts.port > 0
    except ValueError:  # a password with signs that are not written as %xx, a port that is no number
        raise ValueError(f"must be {form}; other signs than letters and digits are written as %xx") from None
    if parts.scheme not in ("postgres", "postgresql") or not (named and fine):
        raise ValueError(f"must be {form}")
    return raw


def masked(shown: str) -> str:
    """Hide what may be secret in an address: a password, and the values of its query."""
    return _IN_ADDRESS.sub(r"\1\2••••••", shown)


def ollama(raw: str) -> str:
    """Read OLLAMA_HOST as Ollama does: an address, a host, or a host with a port."""
    if "://" in raw:
        return url(raw)
    parts = _split(f"//127.0.0.1{raw}" if raw.startswith(":") else f"//{raw}", "a host or an address")
    host = parts.netloc.removesuffix(f":{parts.port}")
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{parts.port or 11434}"  # noqa: S104


def origins(raw: str) -> tuple[str, ...]:
    """Read a list of origins, or `*`."""
    form = "origins such as https://example.org, separated by commas"
    found = tuple(origin.strip().rstrip("/").lower() for origin in raw.split(",") if origin.strip())
    for origin in found:
        if origin != "*" and (_split(origin, form).path or "://" not in origin):
            raise ValueError(f"must be {form}")
    return found


def networks(raw: str) -> tuple[str, ...]:
    """Read a list of addresses and networks (`10.0.0.0/8`), or the word `unix` for a Unix socket."""
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


def models(raw: str) -> str:
    """Read which models may be used."""
    if raw not in ("priced", "all"):
        raise ValueError("must be priced or all")
    return raw


def file(raw: str) -> str:
    """Read the path of a file that is there."""
    if not Path(raw).is_file() or not os.access(raw, os.R_OK):
        raise ValueError("must be a file that can be read")
    return raw


def certificates(raw: str) -> str:
    """Read the path of a file of certificates. What is in them is not looked at: ssl may not be loaded yet."""
    if b"-----BEGIN " not in Path(file(raw)).read_bytes():
        raise ValueError("must be a file of certificates in PEM form")
    return raw


def starters(raw: str) -> tuple[str, ...]:
    """Read questions to begin with; white space around and inside them becomes single spaces."""
    found = tuple(" ".join(part.split()) for part in raw.split("|") if part.strip())
    wrong = [one for one in found if len(one) > _MOST_STARTER_CHARS or _UNWRITABLE.search(one)]
    if not 0 < len(found) <= _MOST_STARTERS or wrong:
        raise ValueError(
            f"must be 1 to {_MOST_STARTERS} questions of at most {_MOST_STARTER_CHARS} characters, "
            "separated by vertical bars"
        )
    return found


def shown(value: object, between: str = ",") -> str:
    """Write a value as an operator would."""
    match value:
        case None | ():
            return ""
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple():
            return between.join(value)
        case _:
            return str(value)
