"""Freshet: a streaming chat server with a page.

Importing this package imports nothing else: public names resolve on first use, because gunicorn imports
the package in its master before the worker patches the standard library, and because a program that
only needs a provider should not pay for Flask.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for true; `typing` would be nearly all that the import costs
if TYPE_CHECKING:
    from webapp.app import create_app as create_app
    from webapp.chat import ImagePart as ImagePart
    from webapp.chat import ModelMessage as ModelMessage
    from webapp.chat import ModelRequest as ModelRequest
    from webapp.chat import ModelResponse as ModelResponse
    from webapp.chat import TextPart as TextPart
    from webapp.chat import Usage as Usage
    from webapp.client import StreamStats as StreamStats
    from webapp.client import create_query_client as create_query_client
    from webapp.errors import FreshetError as FreshetError
    from webapp.wiring import create_provider as create_provider

__version__ = "0.1.0"

_HOMES = {
    "create_app": "webapp.app",
    "create_provider": "webapp.wiring",
    "create_query_client": "webapp.client",
    "FreshetError": "webapp.errors",
    "ImagePart": "webapp.chat",
    "ModelMessage": "webapp.chat",
    "ModelRequest": "webapp.chat",
    "ModelResponse": "webapp.chat",
    "StreamStats": "webapp.client",
    "TextPart": "webapp.chat",
    "Usage": "webapp.chat",
}

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604  (the names resolve in __getattr__)


def __getattr__(name: str) -> object:
    """Resolve a public name from its home module; see :pep:`562`."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
