"""Freshet: a streaming chat server with a page.

Importing this package imports no other module; public names are imported on first use. gunicorn imports the package in
its master process before a worker patches the standard library, and a program that only calls a provider needs no Flask.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = (
    False  # type checkers treat it as true; importing `typing` would take most of the import's time
)
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

_MODULES = {
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

__all__ = [*_MODULES, "__version__"]  # noqa: PLE0604  (the names resolve in __getattr__)


def __getattr__(name: str) -> object:
    """Import a public name from its module; see :pep:`562`."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
