"""One setting: its environment variable, parser, description and whether it is secret."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


def setting(
    name: str,
    default: Any,
    parse: Callable[[str], Any],
    about: str,
    *,
    secret: bool = False,
    between: str = ",",
) -> Any:
    """Return a dataclass field for the environment variable `name`.

    `parse` turns the variable's text into the value and raises `ValueError` with a message that begins with "must".
    `about` is the description in `freshet config` and the documentation; `between` joins the items of a tuple there.
    """
    meta = {"name": name, "parse": parse, "about": about, "secret": secret, "between": between}
    return dataclasses.field(default=default, metadata=meta)
