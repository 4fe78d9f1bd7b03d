"""What the doors work with: made by the roof, hung on the Flask application, asked for by each door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from webapp.access.addresses import Proxies
from webapp.access.cookies import Names
from webapp.access.gate import Gate
from webapp.access.limits import Limiter
from webapp.access.secret import Secret
from webapp.access.sessions import Sessions
from webapp.access.throttle import Throttle
from webapp.routes.assets import Assets
from webapp.routes.bodies import Bodies
from webapp.runs.registry import Runs
from webapp.seams import Catalog
from webapp.store.store import Store

_KEY = "freshet"


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts of a running server. `demo` is true while nothing but `mock` answers."""

    assets: Assets
    catalog: Catalog
    runs: Runs
    store: Store
    gate: Gate
    proxies: Proxies
    secret: Secret
    names: Names
    sessions: Sessions
    limiter: Limiter
    throttle: Throttle
    bodies: Bodies
    version: str
    demo: bool
    frame_ms: float
    starters: tuple[str, ...]
    image_urls: bool
    write_s: float
    auth_s: float
    max_body_bytes: int
    import_max_bytes: int


def keep(extensions: dict[str, object], services: Services) -> None:
    """Hang the services on an application's `extensions`."""
    extensions[_KEY] = services


def services() -> Services:
    """Find the services of the application that handles the present request."""
    return cast(Services, current_app.extensions[_KEY])
