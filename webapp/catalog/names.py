"""The names of models: the variants of one, with a date, a tag or a maker, and which of several listed ones is preferred."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

# A version is not a date: claude-opus-4-9 is no variant of claude-opus-4.
_DATE = re.compile(r"(?:-\d{4}-\d{2}-\d{2}|[-@]\d{8}|-\d{4}|-latest|-0)\Z")


def strip_date(name: str) -> str:
    """Return a model's name without the date or `-latest` at its end."""
    return _DATE.sub("", name)


def choose_listed(preferred: Iterable[str], listed: Sequence[str]) -> str | None:
    """Return the first preferred model that is listed, as it is listed: perhaps with a date, a tag or its maker."""
    found: dict[str, str] = {}
    for form in _FORMS:
        for name in listed:
            found.setdefault(form(name), name)
    return next((found[name] for name in preferred if name in found), None)


def find_place(name: str, places: Mapping[str, int]) -> int | None:
    """Return the place of a listed name in an ordered list of names, given by `places`; None if it is not in the list."""
    return next((places[variant] for form in _FORMS if (variant := form(name)) in places), None)


# How a listed name may differ from the table's, the most exact first: a date, Ollama's tag, OpenRouter's maker.
_FORMS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    lambda name: strip_date(name).removesuffix(":latest"),
    lambda name: name.partition(":")[0],
    lambda name: strip_date(name.rpartition("/")[2]),
)
