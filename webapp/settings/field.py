"""One setting: its environment variable, parser, description and whether it is secret."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


def setting(
    variable: str,
    default: Any,
    parse: Callable[[str], Any],
    description: str,
    *,
    secret: bool = False,
    separator: str = ",",
) -> Any:
    """Return a dataclass field for an environment variable.

    `parse` turns the variable's text into the value and raises `ValueError` with a message that begins with "must".
    `description` is shown by `freshet config` and in docs/configuration.md. `separator` joins the items of a tuple
    where the value is shown.
    """
    metadata = {
        "variable": variable,
        "parse": parse,
        "description": description,
        "secret": secret,
        "separator": separator,
    }
    return dataclasses.field(default=default, metadata=metadata)
