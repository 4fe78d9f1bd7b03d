"""The services of a running server: created in `app.py`, looked up by the endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import current_app

from webapp.access.addresses import TrustedProxies
from webapp.access.cookies import NameSigner
from webapp.access.gate import Gate
from webapp.access.keys import Keys
from webapp.access.limits import Limiter
from webapp.access.secret import Secret
from webapp.access.sessions import Sessions
from webapp.access.throttle import Throttle
from webapp.access.visitor_tokens import VisitorTokens
from webapp.api.document_upload import DocumentUpload
from webapp.api.ended_answers import EndedAnswers
from webapp.api.request_bodies import RequestBodies
from webapp.api.retrieval import Retrieval
from webapp.api.start_run import RunStarter
from webapp.assets.assets import Assets
from webapp.metrics import Metrics
from webapp.runs.registry import Runs
from webapp.seams import Journal, Providers
from webapp.store.store import Store

_KEY = "freshet"


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services of a running server.

    `demo` is true if the default provider is `mock`. `provider_addresses` is for the operator alone.
    """

    assets: Assets
    providers: Providers
    metrics: Metrics
    starter: RunStarter
    ended_answers: EndedAnswers
    runs: Runs
    journal: Journal
    store: Store
    gate: Gate
    proxies: TrustedProxies
    secret: Secret
    name_signer: NameSigner
    sessions: Sessions
    keys: Keys
    visitor_tokens: VisitorTokens
    limiter: Limiter
    throttle: Throttle
    bodies: RequestBodies
    uploads: DocumentUpload
    retrieval: Retrieval
    version: str
    demo: bool
    frame_ms: float
    starters: tuple[str, ...]
    provider_addresses: Mapping[str, str]
    write_s: float
    auth_s: float
    max_body_bytes: int
    import_max_bytes: int


def store_services(extensions: dict[str, object], services: Services) -> None:
    """Store the services in an application's `extensions`."""
    extensions[_KEY] = services


def services() -> Services:
    """Return the services of the application that handles the current request."""
    return cast(Services, current_app.extensions[_KEY])
