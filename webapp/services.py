"""The parts of a running server, created in `app.py` and looked up by the endpoints."""

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
from webapp.api.request_bodies import RequestBodies
from webapp.api.start_run import RunStarter
from webapp.assets.assets import Assets
from webapp.runs.registry import Runs
from webapp.seams import Providers
from webapp.store.store import Store

_KEY = "freshet"


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts of a running server. `demo` is true while nothing but `mock` answers."""

    assets: Assets
    providers: Providers
    starter: RunStarter
    runs: Runs
    store: Store
    gate: Gate
    proxies: Proxies
    secret: Secret
    names: Names
    sessions: Sessions
    limiter: Limiter
    throttle: Throttle
    bodies: RequestBodies
    version: str
    demo: bool
    frame_ms: float
    starters: tuple[str, ...]
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
