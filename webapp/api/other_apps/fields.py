"""Typed access to decoded JSON. A missing or null field is the default; any other wrong type names its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from webapp.errors import InvalidRequest

_MAX_PATH_CHARS = 200
_MAX_KEY_CHARS = 60
_NUMBER = re.compile(r"[0-9]{9,20}(?:\.[0-9]{1,20})?")  # a shorter one is a date without hyphens
# From which value on a number of seconds since 1970 is in milliseconds, microseconds, nanoseconds.
_UNITS = ((1e17, 1e-6), (1e14, 1e-3), (1e11, 1.0), (-math.inf, 1e3))
_MAX_TIME_MS = 253_402_300_799_000  # the year 9999


class JsonObject:
    """An object of decoded JSON with its place in the file."""

    __slots__ = ("_value", "path")

    def __init__(self, value: dict[str, Any], path: str) -> None:
        self.path = path
        self._value = value

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    def moved_to(self, path: str) -> JsonObject:
        """Return the same object under another place."""
        return JsonObject(self._value, path)

    def at(self, key: str) -> str:
        """Return the place of a field."""
        return join_path(self.path, key)

    def raw(self, key: str) -> Any:
        """Return a value of any type; None if it is missing."""
        return self._value.get(key)

    def text(self, key: str) -> str:
        """Return a text; empty if it is missing."""
        value = self._value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise bad_place(self.at(key), "must be a string")
        return value

    def flag(self, key: str) -> bool | None:
        """Return true or false; None if it is missing."""
        value = self._value.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise bad_place(self.at(key), "must be true or false")

    def number(self, key: str) -> float | None:
        """Return a number; None if it is missing."""
        value = self._value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad_place(self.at(key), "must be a number")
        return float(value)

    def time(self, key: str) -> int | None:
        """Return a time, which is a number, also as a text, or in ISO 8601, in milliseconds since 1970; None if it is missing."""
        value = self._value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and not _NUMBER.fullmatch(value):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                raise bad_place(self.at(key), "must be a time in ISO 8601") from None
            found = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e3
        else:
            number = float(value) if isinstance(value, str) else self.number(key) or 0.0
            found = number * next(factor for least, factor in _UNITS if number >= least)
        if not 0 <= found <= _MAX_TIME_MS:
            raise bad_place(self.at(key), "must be a time after 1970")
        return int(found)

    def object(self, key: str) -> JsonObject | None:
        """Return an object; None if it is missing."""
        value = self._value.get(key)
        if value is None:
            return None
        return JsonObject(_checked_object(value, self.at(key)), self.at(key))

    def objects(self, key: str) -> Iterator[JsonObject]:
        """Yield the objects of a list, which may be missing."""
        for index, item in enumerate(self.items(key)):
            path = f"{self.at(key)}[{index}]"
            yield JsonObject(_checked_object(item, path), path)

    def items(self, key: str) -> list[Any]:
        """Return a list of values of any type; empty if it is missing."""
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise bad_place(self.at(key), "must be a list")
        return value

    def texts(self, key: str) -> list[str]:
        """Return a list of texts; empty if it is missing."""
        found = self.items(key)
        for index, item in enumerate(found):
            if not isinstance(item, str):
                raise bad_place(f"{self.at(key)}[{index}]", "must be a string")
        return found

    def members(self) -> Iterator[tuple[str, JsonObject]]:
        """Yield the names and values of an object of objects."""
        for key, value in self._value.items():
            yield key, JsonObject(_checked_object(value, self.at(key)), self.at(key))


def _checked_object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_place(path, "must be an object")
    return value


def join_path(path: str, key: str) -> str:
    """Return the place of a field of the object at `path`."""
    name = key if len(key) <= _MAX_KEY_CHARS else key[:_MAX_KEY_CHARS] + "…"
    return f"{path}.{name}" if path else name


def bad_place(path: str, reason: str, code: str = "bad_import") -> InvalidRequest:
    """Return an error that names a place in the file."""
    place = path[:_MAX_PATH_CHARS] or "body"
    return InvalidRequest(f"{place} {reason}.", param=place, code=code)
