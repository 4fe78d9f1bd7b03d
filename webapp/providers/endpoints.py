"""Base URLs as people write them: often the address of an endpoint, as providers' examples show it."""

from __future__ import annotations

from collections.abc import Sequence


def strip_endpoint(base_url: str, endpoints: Sequence[str]) -> str:
    """Return a base URL without the endpoint at its end, if it is one of `endpoints`, and without slashes at its end."""
    base = base_url.rstrip("/")
    found = next((each for each in endpoints if base.endswith(each)), "")
    return base.removesuffix(found).rstrip("/")
